"""An HBM channel in the plainest way: every tick, every request, the whole history of commands.

Written from the rules and not from the model: constraints are looked up among past commands, and
requests are chosen from lists. The model has to give the same, command by command.
"""

from mcos_sim.memory.hbm.constraint import CONSTRAINTS, Command, Level, ticks_between
from mcos_sim.memory.hbm.policy import Refresh, Scheduler

__all__ = ["naive_log"]


ACT, PREPB, PREAB, RD, WR, REFAB, REFPB = Command


class _Device:
    def __init__(self, preset):
        self.preset = preset
        self.history = {}
        self.open = {}

    def node(self, bank, level):
        """The part of the channel that a bank is in, as the numbers on the way to it."""
        pseudo, rest = divmod(bank, self.preset.stack_ids * 16)
        return (pseudo, rest // 16, rest // 4 % 4, rest % 4)[:level]

    def allows(self, command, bank, now):
        for each in CONSTRAINTS:
            if command not in each.following:
                continue
            own = self.node(bank, each.level)
            nodes = [own]
            if each.siblings:
                others = range(self.preset.stack_ids)
                nodes = [(*own[:-1], k) for k in others if k != own[-1]]
            for before in each.preceding:
                ticks = ticks_between(
                    each,
                    before,
                    command,
                    timing=self.preset.timing,
                    lengths=self.preset.lengths,
                )
                for node in nodes:
                    at = self.history.get((each.level, node, before), ())
                    if len(at) >= each.window and now < at[-each.window] + ticks:
                        return False
        return True

    def take(self, command, bank, now, row=None):
        everywhere = command in (PREAB, REFAB)
        for level in Level:
            if everywhere and level > Level.PSEUDO_CHANNEL:
                break
            key = (level, self.node(bank, level), command)
            self.history.setdefault(key, []).append(now)
        if command == ACT:
            self.open[bank] = row
        elif command == PREPB:
            del self.open[bank]
        elif command == PREAB:
            pseudo = self.node(bank, 1)
            self.open = {b: r for b, r in self.open.items() if self.node(b, 1) != pseudo}


def naive_log(bursts, preset, policy):
    """Every command of serving the requests: tick, command, bank, request."""
    device = _Device(preset)
    reads, writes, opened, refreshes, log = [], [], [], [], []
    requests = [
        {"id": k, "bank": int(b["bank"]), "row": int(b["row"]), "write": int(b["write"])}
        for k, b in enumerate(bursts)
    ]
    now, following, draining, left, last = 0, 0, False, len(requests), None
    address, end, timing = 0, 0, preset.timing

    def wants(request):
        row = device.open.get(request["bank"])
        if row is None:
            return ACT
        return PREPB if row != request["row"] else (WR if request["write"] else RD)

    def pairs(command, bank):
        """Whether a command may be at a falling edge."""
        if now & 1:
            return True
        if not preset.falling_precharge or command not in (PREPB, PREAB):
            return False
        if last is None:
            return True
        before, there, when = last
        edge = when + (preset.lengths[ACT] if before == ACT else 1)
        if now != edge or device.node(there, 1) != device.node(bank, 1):
            return True
        return before not in (PREAB, REFAB) and command != PREAB and there != bank

    def waits_in(bank):
        return any(request["bank"] == bank for request in opened)

    def held(bank):
        """Whether a refresh waits for a bank."""
        return any(
            bank == target or (command == REFAB and device.node(bank, 1) == device.node(target, 1))
            for command, target in refreshes
        )

    def queue():
        nonlocal draining
        size = policy.queue_entries
        if draining:
            draining = not (len(writes) < max(policy.drain_to * size, 1) and reads)
        else:
            draining = len(writes) > policy.drain_from * size or not reads
        return writes if draining else reads

    def choose(buffer, column):
        order = sorted(buffer, key=lambda request: request["accepted"])
        if policy.scheduler is Scheduler.FCFS:
            # What is opened stands in the order in which that happened, not of acceptance.
            order = buffer[:1]
        for request in order:
            command, bank = wants(request), request["bank"]
            if (command in (RD, WR)) != column or (not column and not pairs(command, bank)):
                continue
            if buffer is not opened and held(bank):
                continue
            if command == PREPB:
                if waits_in(bank):
                    continue
                if policy.scheduler is Scheduler.FRFCFS_ROWHIT and any(
                    other["bank"] == bank
                    and other["row"] == device.open[bank]
                    and other["accepted"] <= request["accepted"]
                    for other in buffer
                ):
                    continue
            if device.allows(command, bank, now):
                return request, command
        return None

    def do(request, command):
        nonlocal left, last, end
        device.take(command, request["bank"], now, request["row"])
        log.append((now, command, request["bank"], request["id"]))
        if command in (RD, WR):
            left -= 1
            end = max(end, now + (2 * (timing["nCL"] + timing["nBL"]) if command == RD else 0))
            (opened if request in opened else writes if request["write"] else reads).remove(request)
            return
        if now & 1:
            last = command, request["bank"], now
        if command == ACT:
            (writes if request["write"] else reads).remove(request)
            opened.append(request)

    def refresh():
        nonlocal last
        command, bank = refreshes[0]
        same = [b for b in device.open if device.node(b, 1) == device.node(bank, 1)]
        first = command
        if command == REFAB and same:
            first = PREAB
        elif command == REFPB and bank in same:
            first = PREPB
        meant = same if command == REFAB else [bank]
        if not pairs(first, bank) or (first != command and any(waits_in(b) for b in meant)):
            return False
        if not device.allows(first, bank, now):
            return False
        device.take(first, bank, now)
        log.append((now, first, bank, -1))
        if now & 1:
            last = first, bank, now
        if first == command:
            refreshes.pop(0)
        return True

    while left or now < end:
        while following < len(requests) and int(bursts["arrival"][following]) <= now:
            request = requests[following]
            buffer = writes if request["write"] else reads
            if len(buffer) >= policy.queue_entries:
                break
            request["accepted"] = now
            buffer.append(request)
            following += 1
        now += 1
        if policy.refresh is Refresh.ALL_BANK and now % (2 * preset.timing["nREFI"]) == 0:
            refreshes += [(REFAB, k * preset.stack_ids * 16) for k in range(2)]
        interval = 2 * preset.timing["nREFIpb"]
        if policy.refresh is Refresh.PER_BANK and now >= interval and now % interval < 2:
            refreshes.append((REFPB, now % interval * preset.stack_ids * 16 + address))
            address = (address + now % interval) % (preset.stack_ids * 16)
        blocked = refreshes and policy.refresh_blocks_queues
        if now & 1:
            chosen = choose(opened, True)
            if chosen is None and not blocked:
                chosen = choose(queue(), True)
            if chosen:
                do(*chosen)
        if not (refreshes and refresh()) and not blocked:
            chosen = choose(queue(), False)
            if chosen:
                do(*chosen)
    return log
