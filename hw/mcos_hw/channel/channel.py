"""One channel: queues, buckets, arbiter, pacer, port credit and monitor."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.channel.age import AgeGuard
from mcos_hw.channel.arbiter.base import Arbiter
from mcos_hw.channel.bucket import TokenBuckets
from mcos_hw.channel.classes import HeadClasses
from mcos_hw.channel.compact.age import CompactAgeGuard
from mcos_hw.channel.compact.monitor import CompactMonitor
from mcos_hw.channel.credit import PortCredit
from mcos_hw.channel.intake import Intake
from mcos_hw.channel.monitor import Monitor
from mcos_hw.channel.observer import Observer
from mcos_hw.channel.outlet import Outlet
from mcos_hw.channel.pacer import Pacer
from mcos_hw.channel.probe import Probe, probe_layout
from mcos_hw.channel.queue import RequestQueues
from mcos_hw.channel.recent import RecentResponses
from mcos_hw.channel.slots import SlotTable
from mcos_hw.channel.spacing import GrantSpacing
from mcos_hw.channel.token_table import TokenTable
from mcos_hw.config import ChannelConfig
from mcos_hw.link.contract import ContractReads, contract_reads_signature
from mcos_hw.link.epoch import Epoch, epoch_signature
from mcos_hw.link.live import Live, live_signature
from mcos_hw.link.queue import QueueView
from mcos_hw.link.readings import Readings, readings_signature
from mcos_hw.link.request import (
    Request,
    StructuredStream,
    command_signature,
    completion_signature,
    request_signature,
    response_signature,
)
from mcos_hw.link.usage import Usage, usage_signature
from mcos_hw.registers import GrantClass, channel_map

__all__ = ["Channel"]


class Channel(wiring.Component):
    """Queues the requests of all tenants and grants them to one memory port.

    A request taken in clock t enters its queue in clock t + 2 and, if no other head is there, is
    granted in clock t + 3 and stands at the memory port in clock t + 4; with ``lateness`` 0 it
    enters in clock t, and stands at the port in clock t + 2. One request is taken and one granted
    per clock, sustained; a tenant alone needs a ``queue_depth`` of 8 for that, because requests on
    their way count. A compact channel grants one in ``grant_interval`` clocks; docs/compact.md has
    its clocks.

    A grant needs an open pacer, a free slot, port credit for a longest request (so that no small
    request can take the credit that a long one waits for), and room for its command. A tenant that
    a commit disables takes no new requests, unless ``gated`` is cleared. What it has queued is
    scavenged, and goes by age if others leave it nothing.

    Memory completes a command in the clock after the port took it at the earliest.

    It does not order the responses of one requester, nor move data: the fabric does. Clocks,
    epochs and the live configuration come from outside, because a fabric has one of each.

    ::

        clock        0       1       2       3       4
        request     |R0     |
        queue                       |R0     |
        grant                               |R0     |
        command                                     |R0

    Parameters
    ----------
    config : ChannelConfig
        Sizes.
    arbiter : Arbiter
        Who chooses the grants.
    gated : bool
        Whether the channel itself takes nothing new of a tenant that is not enabled. A port in
        front of it that does so clears this: what has passed the port must be taken.
    coordinated : bool
        Whether it tells what its tenants use of their committed rates.

    Members
    -------
    live : In(Live)
        Live configuration.
    contracts : Out(ContractReads)
        What is read of it one tenant at a time.
    now : In(stamp_width)
        Clocks since reset, modulo.
    epoch : In(Epoch)
        Over which clocks the monitor counts.
    request : In(Request)
        Requests of all tenants.
    response : Out(stream of response_layout, always ready)
        Answers, in the order in which memory serves.
    command : Out(stream of command_layout)
        Granted requests for memory.
    command_id : Out(id_width)
        The requester's own number of the command at the port.
    completion : In(stream of completion_layout, always ready)
        Commands that memory has served.
    load : Out(2)
        Whole quarters of the port credit that were in flight in the clock before.
    readings : Out(Readings)
        Counts of the epoch that ended last; only if ``config.monitors`` is set.
    usage : Out(Usage)
        What its tenants use of their committed rates; only if ``coordinated`` is set.
    probe : Out(probe_layout)
        State and choice of this clock.
    """

    live: Live
    contracts: ContractReads
    now: Signal
    epoch: Epoch
    request: Request
    response: StructuredStream
    command: StructuredStream
    command_id: Signal
    completion: StructuredStream
    load: Signal
    readings: Readings
    usage: Usage
    probe: data.View

    def __init__(
        self,
        config: ChannelConfig,
        *,
        arbiter: Arbiter,
        gated: bool = True,
        coordinated: bool = False,
    ) -> None:
        self.config = config
        self.arbiter = arbiter
        self.gated = gated
        self.coordinated = coordinated
        super().__init__(
            {
                "live": In(live_signature(channel_map(config))),
                "contracts": Out(contract_reads_signature(config)),
                "now": In(config.stamp_width),
                "epoch": In(epoch_signature()),
                "request": In(request_signature(config)),
                "response": Out(response_signature(config)),
                "command": Out(command_signature(config)),
                "command_id": Out(config.id_width),
                "completion": In(completion_signature(config)),
                "load": Out(2),
                **({"readings": Out(readings_signature(config))} if config.monitors else {}),
                **({"usage": Out(usage_signature(config))} if coordinated else {}),
                "probe": Out(probe_layout(config)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.arbiter = arbiter = self.arbiter
        m.submodules.intake = intake = Intake(config, gated=self.gated)
        m.submodules.queues = queues = RequestQueues(
            config, mark=arbiter.mark, ahead=arbiter.mark_ahead
        )
        m.submodules.buckets = buckets = self._buckets(m, queues.view)
        m.submodules.classes = classes = HeadClasses(config, heads_only=not arbiter.looks_behind)
        m.submodules.pacer = pacer = Pacer(config)
        m.submodules.credit = credit = PortCredit(config)
        m.submodules.slots = slots = SlotTable(config)
        m.submodules.outlet = outlet = Outlet(config)
        m.submodules.recent = recent = RecentResponses(config)
        m.submodules.observer = observer = Observer(config)
        m.submodules.probe = probe = Probe(config, enforces_contracts=arbiter.enforces_contracts)
        configured = (intake, classes, arbiter, pacer, credit, recent)
        connect(m, flipped(self.live), *(each.live for each in configured))
        connect(m, intake.contract, flipped(self.contracts.intake))
        connect(m, observer.contract, flipped(self.contracts.observer))

        # Ingress: a request is taken, priced, and enters its queue.
        connect(m, flipped(self.request), intake.request)
        m.d.comb += [
            intake.full.eq(queues.full),
            intake.tails.eq(queues.tails),
            recent.tenant.eq(self.request.payload.tenant),
            intake.recent.eq(recent.recent),
            queues.taken.eq(intake.taken),
        ]
        arriving = (queues, classes, arbiter, observer)
        connect(m, intake.arrival, *(each.arrival for each in arriving))

        # Choice: heads and the tokens of their tenants make classes, of which one head is granted.
        connect(m, queues.view, classes.view, arbiter.view, probe.view)
        connect(m, buckets.tokens, classes.tokens, probe.tokens)
        connect(m, classes.classes, arbiter.classes, observer.classes, probe.classes)
        open_then = pacer.open_then & credit.open_then & slots.open_then & outlet.open_then
        if config.compact:
            m.submodules.spacing = spacing = GrantSpacing(config)
            connect(m, arbiter.grant, spacing.grant)
            open_then &= spacing.open_then
        m.d.sync += arbiter.open.eq(arbiter.open_then)
        m.d.comb += [
            arbiter.open_then.eq(open_then),
            arbiter.marks.eq(queues.marks),
        ]
        changed = (queues, buckets, classes, pacer, credit, slots, outlet, observer, probe)
        connect(m, arbiter.grant, *(each.grant for each in changed))
        if arbiter.enforces_contracts:
            if config.compact:
                m.submodules.age = age = CompactAgeGuard(config)
                connect(m, age.contract, flipped(self.contracts.age))
            else:
                m.submodules.age = age = AgeGuard(config)
            connect(m, flipped(self.live), age.live)
            connect(m, classes.classes, age.classes)
            connect(m, arbiter.grant, age.grant)
            m.d.comb += [arbiter.promote.eq(age.promote), probe.ages.eq(age.ages)]

        # Command: what was granted in the clock before goes to memory under the number of a slot.
        connect(m, queues.departure, slots.departure, outlet.departure, observer.departure)
        m.d.comb += [outlet.slot.eq(slots.slot), self.command_id.eq(outlet.id)]
        connect(m, outlet.commands, flipped(self.command))

        # Service: what memory has served is answered, and its credit is returned.
        connect(m, flipped(self.completion), slots.completion)
        connect(m, slots.served, credit.served, recent.served, observer.served)
        m.d.comb += [
            self.response.valid.eq(slots.served.valid),
            self.response.payload.tenant.eq(slots.served.entry.tenant),
            self.response.payload.id.eq(slots.served.entry.id),
            self.load.eq(credit.load),
        ]

        # Monitor: what happens is counted and shown.
        m.d.comb += [
            observer.now.eq(self.now),
            observer.owes.eq((credit.in_flight != 0) | (pacer.debt != 0)),
            observer.stalls.eq(self.command.valid & ~self.command.ready),
            probe.counts.eq(queues.counts),
            probe.open.eq(arbiter.open),
            probe.debt.eq(pacer.debt),
            probe.in_flight.eq(credit.in_flight),
            probe.load.eq(credit.load),
            self.probe.eq(probe.probe),
        ]
        connect(m, arbiter.state, probe.state)
        connect(m, flipped(self.epoch), probe.epoch)
        if config.monitors:
            m.submodules.monitor = monitor = (
                CompactMonitor(config) if config.compact else Monitor(config)
            )
            connect(m, flipped(self.epoch), monitor.epoch)
            connect(m, monitor.readings, flipped(self.readings))
            m.d.comb += monitor.counts.eq(queues.counts)
            connect(m, observer.events, monitor.events, probe.events)
        else:
            connect(m, observer.events, probe.events)
        if self.coordinated:
            self._tell_usage(m, observer, classes, buckets)
        return m

    def _tell_usage(
        self,
        m: Module,
        observer: Observer,
        classes: HeadClasses,
        buckets: TokenTable | TokenBuckets,
    ) -> None:
        """What the coordinator looks at: conforming grants, heads without committed tokens, and
        what the committed buckets hold."""
        usage, grant, shown = self.usage, observer.events.grant, classes.classes
        m.d.comb += [
            usage.charged.valid.eq(grant.valid & (grant.class_code == GrantClass.CONFORMING)),
            usage.charged.tenant.eq(grant.tenant),
            usage.charged.beats.eq(grant.beats),
        ]
        for i in range(self.config.tenants):
            level = buckets.tokens.committed[i]
            uncovered = shown.serviceable[i] & (shown.codes[i] != GrantClass.CONFORMING)
            m.d.comb += [
                usage.short[i].eq(shown.held[i] | uncovered),
                usage.levels[i].eq(Mux(level[-1], 0, level[self.config.rate_fraction : -1])),
            ]

    def _buckets(self, m: Module, view: QueueView) -> TokenTable | TokenBuckets:
        """The token buckets, with the settings that they read and the grants that they learn of."""
        arbiter = self.arbiter
        if not self.config.compact:
            buckets = TokenBuckets(self.config)
            connect(m, flipped(self.live), buckets.live)
            connect(m, view, buckets.view)
            return buckets
        table = TokenTable(self.config)
        connect(m, table.contract, flipped(self.contracts.buckets))
        m.d.comb += [
            table.enabled.eq(Cat(each.enable for each in self.live.tenants)),
            table.nominates.eq(arbiter.nominates),
            table.nominee.eq(arbiter.nominee),
        ]
        return table
