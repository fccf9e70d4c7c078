"""Mistakes in the hardware that a waveform has to show, by the rule that has to name them.

Each is an expression, so that one build can have all of them.
"""

from mcos_sim.waves.rules import Rule
from tests.planted import Bug

CHANNEL = "mcos_hw.channel"

WAVEFORM_BUGS = {
    Rule.WRONG_ORDER: Bug(
        module=f"{CHANNEL}.arbiter.wf2q.order",
        text="before(following.finish, heads[j].finish, below[j])",
        instead="before(heads[j].finish, following.finish, below[j])",
    ),
    Rule.DOUBLE_GRANT: Bug(
        module=f"{CHANNEL}.queue",
        text="(row + 1)",
        instead="(row + (row[:2] != 3))",
    ),
    Rule.NOT_CHARGED: Bug(
        module=f"{CHANNEL}.bucket",
        text="Mux(charged, self.beats, 0)",
        instead="0",
    ),
    Rule.CHARGED_TWICE: Bug(
        module=f"{CHANNEL}.bucket",
        text="Mux(charged, self.beats, 0)",
        instead="Mux(charged, self.beats + self.beats[:4], 0)",
    ),
    Rule.STUCK: Bug(
        module=f"{CHANNEL}.queue",
        text="(waiting_then != 0)",
        instead="((waiting_then != 0) & (i != 1))",
    ),
    Rule.LOST_REQUEST: Bug(
        module=f"{CHANNEL}.queue",
        text="(count + self.taken[i] - leaves)",
        instead="(count + (self.taken[i] & ~leaves) - leaves)",
    ),
    Rule.DOUBLE_RESPONSE: Bug(
        module=f"{CHANNEL}.slots",
        text="(self.completion.valid)",
        instead="(self.completion.valid | (self.served.valid & (completed_slot[:2] == 1)))",
    ),
    Rule.AGE_GUARD: Bug(
        module=f"{CHANNEL}.age",
        text="due & ~promoted & ~self.promote.any()",
        instead="0",
    ),
    Rule.HALF_COMMIT: Bug(
        module="mcos_hw.control.store",
        # The channel's fields and those of the first tenant are the lowest bits.
        text="(self.shadow)",
        instead=(
            "(Cat(self.shadow.channel, self.shadow.tenants[0], "
            "*(self.live.tenants[i] for i in range(1, len(self.live.tenants)))))"
        ),
    ),
    Rule.HANDSHAKE: Bug(
        module=f"{CHANNEL}.outlet",
        text="(comes | (count != 0))",
        instead="(comes | ((count != 0) & ~command.slot[0]))",
    ),
    Rule.NO_WRAP: Bug(
        module=f"{CHANNEL}.arbiter.wf2q.order",
        text="(Cat(Const(0, 1), left) - Cat(tie, right))[len(left)]",
        instead="(Cat(Const(0, 1), left) < Cat(tie, right))",
    ),
    Rule.PACE: Bug(
        module=f"{CHANNEL}.pacer",
        text="(self.debt - (rate << 1) + granted)",
        instead="(self.debt - (rate << 1))",
    ),
    Rule.DEBT: Bug(
        module=f"{CHANNEL}.pacer",
        text="(self.debt - rate + granted)",
        instead="(self.debt - rate + granted[1:])",
    ),
    Rule.NO_CREDIT: Bug(
        module=f"{CHANNEL}.credit",
        text="(before - self.in_flight - granted)",
        instead="(before - self.in_flight - granted + returned)",
    ),
    Rule.IN_FLIGHT: Bug(
        module=f"{CHANNEL}.credit",
        text="(self.in_flight + granted - returned)",
        instead="(self.in_flight + granted - Mux(granted == returned, 0, returned))",
    ),
    Rule.LOAD: Bug(
        module=f"{CHANNEL}.credit",
        text="(quadrupled >= 2 * limit)",
        instead="(quadrupled >= 3 * limit)",
    ),
    Rule.GRANTED_CLASS: Bug(
        module="mcos_hw.link.grant",
        text="(grant.tenants & grant.conforming)",
        instead="(grant.tenants & (grant.conforming | grant.burst))",
    ),
    Rule.TAG_START: Bug(
        module=f"{CHANNEL}.arbiter.wf2q.tags",
        text="(self.following_start)",
        instead="(self.following_start + 1)",
    ),
    Rule.TAG_PRICE: Bug(
        module=f"{CHANNEL}.intake",
        text="(inverse << 4)[:width]",
        instead="inverse[:width]",
    ),
    Rule.OVERFLOW: Bug(
        module=f"{CHANNEL}.queue",
        text="(count_then == depth)",
        instead="(count_then == depth + 1)",
    ),
    Rule.SLOT: Bug(
        module=f"{CHANNEL}.slots",
        text="(unused + 1)",
        instead="(unused + (unused[:3] != 5))",
    ),
    Rule.WRONG_RESPONSE: Bug(
        module=f"{CHANNEL}.channel",
        text="(slots.served.entry.id)",
        instead="(slots.served.entry.id ^ (slots.served.entry.beats == 3))",
    ),
    Rule.NOT_OVER_AGE: Bug(
        module=f"{CHANNEL}.age",
        text="(visited_age >= limit)",
        instead="(visited_age + 2 >= limit)",
    ),
    Rule.PROMOTION: Bug(
        module=f"{CHANNEL}.age",
        text="(rested >= self.live.channel.promotion_interval)",
        instead="(rested + 8 >= self.live.channel.promotion_interval)",
    ),
}
