"""One channel: queues, buckets, arbiter, pacer, port credit and monitor."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.channel.age import AgeGuard
from mcos_hw.channel.arbiter.base import Arbiter
from mcos_hw.channel.bucket import TenantBuckets
from mcos_hw.channel.classes import HeadClasses
from mcos_hw.channel.credit import PortCredit
from mcos_hw.channel.intake import Intake
from mcos_hw.channel.monitor import Monitor, monitor_windows, window_members
from mcos_hw.channel.outlet import Outlet
from mcos_hw.channel.pacer import Pacer
from mcos_hw.channel.probe import probe_layout
from mcos_hw.channel.queue import RequestQueues
from mcos_hw.channel.recent import RecentResponses
from mcos_hw.channel.slots import SlotTable
from mcos_hw.config import ChannelConfig
from mcos_hw.link.classes import NO_CLASS
from mcos_hw.link.live import live_layout
from mcos_hw.link.request import (
    StructuredStream,
    command_layout,
    completion_layout,
    request_layout,
    response_layout,
    structured_stream,
)
from mcos_hw.primitive.select import number
from mcos_hw.registers import GrantClass, channel_map

__all__ = [
    "DRAIN_AGE",
    "Channel",
]


DRAIN_AGE = 1024
"""Age in clocks at which a head of a disabled tenant goes first, so that its queue drains."""


class Channel(wiring.Component):
    """Queues the requests of all tenants and grants them to one memory port.

    A request taken in clock t enters its queue in clock t + 2 and, if no other head is there, is
    granted in clock t + 3 and stands at the memory port in clock t + 4; with ``lateness`` 0 it
    enters in clock t, and stands at the port in clock t + 2. One request is taken and one granted
    per clock, sustained; a tenant alone needs a ``queue_depth`` of 8 for that, because requests on
    their way count.

    A grant needs an open pacer, a free slot, port credit for a longest request (so that no small
    request can take the credit that a long one waits for), and room for its command. A
    tenant that a commit disables takes no new requests; what it has queued is scavenged, and goes
    by age where others leave it nothing.

    Memory completes a command in the clock after the port took it at the earliest.

    It does not order the responses of one requester, nor move data: the fabric does.

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

    Members
    -------
    live : In(live_layout)
        Live configuration.
    now : Out(stamp_width)
        Clock stamp for the ports: clocks since reset, modulo.
    request : In(request_layout)
        The request offered in this clock.
    request_valid : In(1)
        One is offered.
    request_ready : Out(tenants)
        Whose queue takes a request; does not depend on what is offered.
    response : Out(stream of response_layout, always ready)
        Answers, in the order in which memory serves.
    command : Out(stream of command_layout)
        Granted requests for memory.
    completion : In(stream of completion_layout, always ready)
        Commands that memory has served.
    epoch, busy_clocks, stalled_clocks, load : Out
        Monitor: latched epoch, its busy clocks and those in which memory took no command, present
        load.
    <window> : {index: In, data: Out(32)}
        Monitor arrays, see :func:`mcos_hw.channel.monitor.monitor_windows`.
    probe : Out(probe_layout)
        State and choice of this clock.
    """

    live: data.View
    now: Signal
    request: data.View
    request_valid: Signal
    request_ready: Signal
    response: StructuredStream
    command: StructuredStream
    completion: StructuredStream
    epoch: Signal
    busy_clocks: Signal
    stalled_clocks: Signal
    load: Signal
    probe: data.View

    def __init__(self, config: ChannelConfig, *, arbiter: Arbiter) -> None:
        self.config = config
        self.arbiter = arbiter
        super().__init__(
            {
                "live": In(live_layout(channel_map(config))),
                "now": Out(config.stamp_width),
                "request": In(request_layout(config)),
                "request_valid": In(1),
                "request_ready": Out(config.tenants),
                "response": Out(structured_stream(response_layout(config), always_ready=True)),
                "command": Out(structured_stream(command_layout(config))),
                "completion": In(structured_stream(completion_layout(config), always_ready=True)),
                "epoch": Out(32),
                "busy_clocks": Out(32),
                "stalled_clocks": Out(32),
                "load": Out(2),
                "probe": Out(probe_layout(config)),
                **window_members(config),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        live = self.live
        tenants = range(config.tenants)

        m.submodules.arbiter = arbiter = self.arbiter
        m.submodules.intake = intake = Intake(config)
        m.submodules.queues = queues = RequestQueues(
            config, mark=arbiter.mark, ahead=arbiter.mark_ahead
        )
        m.submodules.pacer = pacer = Pacer(config)
        m.submodules.credit = credit = PortCredit(config)
        m.submodules.slots = slots = SlotTable(config)
        m.submodules.recent = recent = RecentResponses(config)
        m.submodules.monitor = monitor = Monitor(config)
        m.submodules.outlet = outlet = Outlet(config)
        m.submodules.classes = classes = HeadClasses(config)
        buckets = [TenantBuckets(config) for _ in tenants]
        for i in tenants:
            m.submodules[f"buckets_{i}"] = buckets[i]

        m.d.sync += self.now.eq(self.now + 1)
        granted = arbiter.grant.tenants
        conforming = Signal(config.tenants)
        burst = Signal(config.tenants)
        m.d.comb += [
            conforming.eq(granted & arbiter.grant.conforming),
            burst.eq(granted & arbiter.grant.burst),
        ]

        # Ingress.
        enabled = Cat(live.tenants[i].enable for i in tenants)
        tenant = self.request.tenant
        taken = Signal()
        m.d.comb += [
            self.request_ready.eq(enabled & ~queues.full),
            taken.eq(self.request_valid & self.request_ready.bit_select(tenant, 1)),
            queues.taken.eq(taken << tenant),
            intake.live.channel.eq(live.channel),
            intake.live.tenants.eq(live.tenants),
            intake.taken.eq(taken),
            intake.request.eq(self.request),
            intake.row.eq(queues.tails[tenant]),
            intake.recent.eq(recent.recent),
        ]
        connect(m, intake.arrival, queues.arrival, classes.arrival, arbiter.arrival)
        connect(m, queues.view, classes.view, arbiter.view)
        connect(m, classes.classes, arbiter.classes)
        connect(m, arbiter.grant, queues.grant, classes.grant)

        # Buckets and classes.
        was_enabled = Signal(config.tenants)
        m.d.sync += was_enabled.eq(enabled)
        m.d.comb += [
            classes.live.channel.eq(live.channel),
            classes.live.tenants.eq(live.tenants),
        ]
        waiting_codes = Signal(data.ArrayLayout(2, config.tenants))
        for i in tenants:
            contract, bucket, head = live.tenants[i], buckets[i], queues.view.heads[i]
            m.d.comb += [
                bucket.committed_rate.eq(contract.committed_rate),
                bucket.committed_depth.eq(contract.committed_depth),
                bucket.peak_rate.eq(contract.peak_rate),
                bucket.peak_depth.eq(contract.peak_depth),
                bucket.fill.eq(enabled[i] & ~was_enabled[i]),
                bucket.beats.eq(head.beats),
                bucket.charge_committed.eq(conforming[i]),
                bucket.charge_peak.eq(conforming[i] | burst[i]),
                classes.tokens.committed_beats[i].eq(bucket.committed_beats),
                classes.tokens.peak_beats[i].eq(bucket.peak_beats),
                waiting_codes[i].eq(Mux(head.present, classes.classes.codes[i], NO_CLASS)),
            ]

        # Choice.
        ages = Signal(data.ArrayLayout(config.clocks_width, config.tenants))
        if arbiter.enforces_contracts:
            m.submodules.age = age = AgeGuard(config)
            m.d.comb += [
                age.serviceable.eq(classes.classes.serviceable),
                age.interval.eq(live.channel.promotion_interval),
                age.granted.eq(granted),
                age.promoted.eq(arbiter.grant.promoted),
                arbiter.promote.eq(age.promote),
                ages.eq(age.ages),
            ]
            for i in tenants:
                contract = live.tenants[i]
                m.d.comb += age.limits[i].eq(Mux(contract.enable, contract.age_limit, DRAIN_AGE))

        open_then = Signal()
        m.d.comb += open_then.eq(
            pacer.open_then & credit.open_then & slots.available_then & outlet.open_then
        )
        m.d.sync += arbiter.open.eq(open_then)
        m.d.comb += [
            arbiter.live.channel.eq(live.channel),
            arbiter.live.tenants.eq(live.tenants),
            arbiter.marks.eq(queues.marks),
            arbiter.open_then.eq(open_then),
        ]

        # Grant.
        m.d.comb += [
            pacer.enable.eq(live.channel.pacer_enable),
            pacer.rate.eq(live.channel.pacer_rate),
            pacer.grant.eq(arbiter.grant.valid),
            pacer.beats.eq(arbiter.grant.beats),
            credit.limit.eq(live.channel.port_credit),
            credit.grant.eq(arbiter.grant.valid),
            credit.beats.eq(arbiter.grant.beats),
            slots.reserve.eq(arbiter.grant.valid),
            outlet.grant.eq(arbiter.grant.valid),
        ]

        # Command, one clock after the grant.
        left = queues.departure.request
        command = outlet.command
        was_granted = Signal()
        granted_class = Signal(GrantClass)
        was_class = Signal.like(granted_class)
        was_promoted = Signal()
        m.d.sync += [
            was_granted.eq(arbiter.grant.valid),
            was_class.eq(granted_class),
            was_promoted.eq(arbiter.grant.promoted),
        ]
        m.d.comb += [
            granted_class.eq(
                Mux(
                    conforming.any(),
                    GrantClass.CONFORMING,
                    Mux(burst.any(), GrantClass.BURST, GrantClass.SCAVENGED),
                )
            ),
            slots.take.eq(was_granted),
            slots.entry.tenant.eq(left.tenant),
            slots.entry.id.eq(left.id),
            slots.entry.beats.eq(left.beats),
            slots.entry.offered.eq(left.offered),
            outlet.valid.eq(was_granted),
            command.slot.eq(slots.slot),
            command.tenant.eq(left.tenant),
            command.op.eq(left.op),
            command.address.eq(left.address),
            command.beats.eq(left.beats),
        ]
        connect(m, outlet.commands, flipped(self.command))

        # Service.
        m.d.comb += [
            slots.complete.eq(self.completion.valid),
            slots.complete_slot.eq(self.completion.payload.slot),
            self.response.valid.eq(slots.served),
            self.response.payload.tenant.eq(slots.served_entry.tenant),
            self.response.payload.id.eq(slots.served_entry.id),
            recent.response.eq(slots.served),
            recent.tenant.eq(slots.served_entry.tenant),
            recent.limit.eq(live.channel.depth1_clocks),
            credit.served.eq(slots.served),
            credit.served_beats.eq(slots.served_entry.beats),
        ]

        # Monitor.
        approach = intake.arrival.approach
        m.d.sync += [
            monitor.waiting.eq(classes.classes.held),
            monitor.stalled.eq(self.command.valid & ~self.command.ready),
            monitor.outside.eq(Mux(approach.outside, approach.tenants, 0)),
        ]
        m.d.comb += [
            monitor.now.eq(self.now),
            monitor.epoch_clocks.eq(live.channel.epoch_clocks),
            monitor.counts.eq(queues.counts),
            monitor.busy.eq((credit.in_flight != 0) | (pacer.debt != 0)),
            monitor.grant.eq(was_granted),
            monitor.grant_tenant.eq(left.tenant),
            monitor.grant_op.eq(left.op),
            monitor.grant_class.eq(was_class),
            monitor.grant_beats.eq(left.beats),
            monitor.promoted.eq(was_promoted),
            monitor.served.eq(slots.served),
            monitor.served_entry.eq(slots.served_entry),
            self.epoch.eq(monitor.epoch),
            self.busy_clocks.eq(monitor.busy_clocks),
            self.stalled_clocks.eq(monitor.stalled_clocks),
        ]
        for i in tenants:
            m.d.comb += monitor.objectives[i].eq(live.tenants[i].latency_slo)
        for name in monitor_windows(config):
            window, source = getattr(self, name), getattr(monitor, name)
            m.d.comb += [source.index.eq(window.index), window.data.eq(source.data)]

        # Quarters of the port credit in flight: the thresholds are 1/4, 1/2 and 3/4. Before the
        # first image there is neither credit nor load.
        quadrupled = credit.in_flight << 2
        limit = live.channel.port_credit
        m.d.sync += self.load.eq(
            Mux(
                credit.in_flight == 0,
                0,
                (quadrupled >= limit) + (quadrupled >= 2 * limit) + (quadrupled >= 3 * limit),
            )
        )

        m.d.comb += self.probe.channel.granted_class.eq(granted_class)
        self._connect_probe(m, queues, buckets, ages, pacer, credit, waiting_codes)
        self._connect_monitor_probe(m, monitor)
        return m

    def _connect_probe(self, m, queues, buckets, ages, pacer, credit, class_codes):
        arbiter, channel = self.arbiter, self.probe.channel
        m.d.comb += [
            channel.virtual_time.eq(arbiter.state.virtual_time),
            channel.open.eq(arbiter.open),
            channel.granted.eq(arbiter.grant.valid),
            channel.promoted.eq(arbiter.grant.promoted),
            channel.tenant.eq(number(arbiter.grant.tenants)),
            channel.beats.eq(Mux(arbiter.grant.valid, arbiter.grant.beats, 0)),
            channel.in_flight.eq(credit.in_flight),
            channel.debt.eq(pacer.debt),
            channel.load.eq(self.load),
        ]
        for i in range(self.config.tenants):
            tenant = self.probe.tenants[i]
            m.d.comb += [
                tenant.queued.eq(queues.counts[i]),
                tenant.present.eq(queues.view.heads[i].present),
                tenant.beats.eq(Mux(queues.view.heads[i].present, queues.view.heads[i].beats, 0)),
                tenant.class_code.eq(class_codes[i]),
                tenant.serviceable.eq(
                    class_codes[i] != NO_CLASS
                    if arbiter.enforces_contracts
                    else queues.view.heads[i].present
                ),
                tenant.candidate.eq(arbiter.state.candidates[i]),
                tenant.age.eq(ages[i]),
                tenant.start.eq(arbiter.state.start[i]),
                tenant.finish.eq(arbiter.state.finish[i]),
                tenant.committed.eq(buckets[i].committed),
                tenant.peak.eq(buckets[i].peak),
            ]

    def _connect_monitor_probe(self, m, monitor):
        probe, responded = self.probe.monitor, monitor.responded
        m.d.comb += [
            probe.epoch.eq(monitor.epoch),
            probe.busy.eq(monitor.busy),
            probe.stalled.eq(monitor.stalled),
            probe.held.eq(monitor.waiting),
            probe.outside.eq(monitor.outside),
            probe.responded.eq(responded),
            probe.tenant.eq(Mux(responded, monitor.responded_tenant, 0)),
            probe.bin.eq(Mux(responded, monitor.responded_bin, 0)),
            probe.late.eq(responded & monitor.responded_late),
        ]
