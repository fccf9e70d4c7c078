"""One channel: queues, buckets, arbiter, pacer, port credit and monitor."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.age import AgeGuard
from mcos_hw.channel.arbiter import Arbiter
from mcos_hw.channel.bucket import TenantBuckets
from mcos_hw.channel.monitor import Monitor, monitor_windows, window_members
from mcos_hw.channel.pacer import Pacer
from mcos_hw.channel.probe import NO_CLASS, probe_layout
from mcos_hw.channel.queue import RequestQueues
from mcos_hw.channel.recent import RecentResponses
from mcos_hw.channel.request import (
    StructuredStream,
    command_layout,
    completion_layout,
    request_layout,
    response_layout,
    structured_stream,
)
from mcos_hw.channel.slots import SlotTable
from mcos_hw.config import ChannelConfig
from mcos_hw.registers import GrantClass, channel_map
from mcos_hw.registers.live import live_layout

__all__ = [
    "DRAIN_AGE",
    "Channel",
]


DRAIN_AGE = 1024
"""Age in clocks at which a head of a disabled tenant goes first, so that its queue drains."""


class Channel(wiring.Component):
    """Queues the requests of all tenants and grants them to one memory port.

    A request taken in clock t is its queue's head in clock t + 1, may be granted then, and stands
    at the memory port in clock t + 2. One request is taken and one granted per clock, sustained.

    A grant needs an open pacer, a free slot, port credit for a longest request (so that no small
    request can take the credit that a long one waits for), and room in the command register. A
    tenant that a commit disables takes no new requests; what it has queued is scavenged, and goes
    by age where others leave it nothing.

    It does not order the responses of one requester, nor move data: the fabric does.

    ::

        clock        0       1       2
        request     |R0     |       |
        head                |R0     |
        grant               |R0     |
        command                     |R0

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
    epoch, busy_clocks, load : Out
        Monitor: latched epoch, its busy clocks, present load.
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

        m.submodules.queues = queues = RequestQueues(config)
        m.submodules.arbiter = arbiter = self.arbiter
        m.submodules.pacer = pacer = Pacer(config)
        m.submodules.slots = slots = SlotTable(config)
        m.submodules.recent = recent = RecentResponses(config)
        m.submodules.monitor = monitor = Monitor(config)
        buckets = [TenantBuckets(config) for _ in tenants]
        for i in tenants:
            m.submodules[f"buckets_{i}"] = buckets[i]

        grant, grant_tenant = arbiter.grant, arbiter.grant_tenant
        layout = request_layout(config)
        granted = data.View(layout, Signal(layout, name="granted"))
        granted_class = Signal(2)
        m.d.sync += self.now.eq(self.now + 1)

        # Ingress.
        enabled = Cat(live.tenants[i].enable for i in tenants)
        taken = Signal()
        m.d.comb += [
            self.request_ready.eq(enabled & ~queues.full),
            taken.eq(self.request_valid & self.request_ready.bit_select(self.request.tenant, 1)),
            queues.push.eq(taken),
            queues.request.eq(self.request),
            queues.pop.eq(grant),
            queues.pop_tenant.eq(grant_tenant),
        ]

        # Buckets and classes.
        class_codes = Signal(data.ArrayLayout(2, config.tenants))
        serviceable = Signal(config.tenants)
        was_enabled = Signal(config.tenants)
        m.d.sync += was_enabled.eq(enabled)
        for i in tenants:
            tenant, bucket, head = live.tenants[i], buckets[i], queues.heads[i]
            m.d.comb += [
                bucket.committed_rate.eq(tenant.committed_rate),
                bucket.committed_depth.eq(tenant.committed_depth),
                bucket.peak_rate.eq(tenant.peak_rate),
                bucket.peak_depth.eq(tenant.peak_depth),
                bucket.work_conserving.eq(tenant.work_conserving | ~tenant.enable),
                bucket.fill.eq(enabled[i] & ~was_enabled[i]),
                bucket.beats.eq(head.beats),
                bucket.charge.eq(grant & (grant_tenant == i)),
                class_codes[i].eq(Mux(queues.present[i], bucket.class_code, NO_CLASS)),
            ]
            covered = class_codes[i] != NO_CLASS if arbiter.enforces_contracts else 1
            m.d.comb += serviceable[i].eq(queues.present[i] & covered)

        # Choice.
        ages = Signal(data.ArrayLayout(config.clocks_width, config.tenants))
        if arbiter.enforces_contracts:
            m.submodules.age = age = AgeGuard(config)
            m.d.comb += [
                age.serviceable.eq(serviceable),
                age.interval.eq(live.channel.promotion_interval),
                age.grant.eq(grant),
                age.grant_tenant.eq(grant_tenant),
                arbiter.promote.eq(age.promote),
                arbiter.promote_tenant.eq(age.promote_tenant),
                ages.eq(age.ages),
            ]
            for i in tenants:
                tenant = live.tenants[i]
                m.d.comb += age.limits[i].eq(Mux(tenant.enable, tenant.age_limit, DRAIN_AGE))

        count_before = queues.counts[self.request.tenant]
        leaves = grant & (grant_tenant == self.request.tenant)
        credit_left = slots.in_flight + config.l_max <= live.channel.port_credit
        port_free = ~self.command.valid | self.command.ready
        m.d.comb += [
            arbiter.live.eq(live),
            arbiter.open.eq(pacer.open & slots.available & credit_left & port_free),
            arbiter.arrival.eq(taken & (count_before == 0) & ~leaves),
            arbiter.arrival_tenant.eq(self.request.tenant),
            arbiter.arrival_beats.eq(self.request.beats),
            arbiter.arrival_recent.eq(recent.recent.bit_select(self.request.tenant, 1)),
        ]
        for i in tenants:
            m.d.comb += [
                arbiter.heads[i].serviceable.eq(serviceable[i]),
                arbiter.heads[i].class_code.eq(class_codes[i]),
                arbiter.heads[i].beats.eq(queues.heads[i].beats),
                arbiter.heads[i].offered.eq(queues.heads[i].offered),
            ]

        # Grant.
        m.d.comb += [
            granted.eq(queues.heads[grant_tenant]),
            # What no bucket covers is scavenged, also where an arbiter asks for no cover.
            granted_class.eq(
                Mux(
                    class_codes[grant_tenant] == NO_CLASS,
                    GrantClass.SCAVENGED,
                    class_codes[grant_tenant],
                )
            ),
            pacer.enable.eq(live.channel.pacer_enable),
            pacer.rate.eq(live.channel.pacer_rate),
            pacer.grant.eq(grant),
            pacer.beats.eq(granted.beats),
            slots.allocate.eq(grant),
            slots.entry.tenant.eq(granted.tenant),
            slots.entry.id.eq(granted.id),
            slots.entry.beats.eq(granted.beats),
            slots.entry.offered.eq(granted.offered),
        ]
        with m.If(port_free):
            m.d.sync += [
                self.command.valid.eq(grant),
                self.command.payload.slot.eq(slots.slot),
                self.command.payload.tenant.eq(granted.tenant),
                self.command.payload.op.eq(granted.op),
                self.command.payload.address.eq(granted.address),
                self.command.payload.beats.eq(granted.beats),
            ]

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
        ]

        # Monitor.
        m.d.comb += [
            monitor.now.eq(self.now),
            monitor.epoch_clocks.eq(live.channel.epoch_clocks),
            monitor.counts.eq(queues.counts),
            monitor.class_codes.eq(class_codes),
            monitor.busy.eq((slots.in_flight != 0) | (pacer.debt != 0)),
            monitor.grant.eq(grant),
            monitor.grant_tenant.eq(grant_tenant),
            monitor.grant_op.eq(granted.op),
            monitor.grant_class.eq(granted_class),
            monitor.grant_beats.eq(granted.beats),
            monitor.promoted.eq(arbiter.promote),
            monitor.served.eq(slots.served),
            monitor.served_entry.eq(slots.served_entry),
            self.epoch.eq(monitor.epoch),
            self.busy_clocks.eq(monitor.busy_clocks),
        ]
        for i in tenants:
            m.d.comb += monitor.objectives[i].eq(live.tenants[i].latency_slo)
        for name in monitor_windows(config):
            window, source = getattr(self, name), getattr(monitor, name)
            m.d.comb += [source.index.eq(window.index), window.data.eq(source.data)]

        # Quarters of the port credit in flight: the thresholds are 1/4, 1/2 and 3/4.
        quadrupled = slots.in_flight << 2
        credit = live.channel.port_credit
        m.d.comb += self.load.eq(
            (quadrupled >= credit) + (quadrupled >= 2 * credit) + (quadrupled >= 3 * credit)
        )

        self._connect_probe(m, queues, buckets, arbiter, ages, pacer, slots, class_codes)
        return m

    def _connect_probe(self, m, queues, buckets, arbiter, ages, pacer, slots, class_codes):
        channel = self.probe.channel
        m.d.comb += [
            channel.virtual_time.eq(arbiter.virtual_time),
            channel.open.eq(arbiter.open),
            channel.granted.eq(arbiter.grant),
            channel.promoted.eq(arbiter.grant & arbiter.promote),
            channel.tenant.eq(arbiter.grant_tenant),
            channel.beats.eq(queues.heads[arbiter.grant_tenant].beats),
            channel.in_flight.eq(slots.in_flight),
            channel.debt.eq(pacer.debt),
        ]
        for i in range(self.config.tenants):
            tenant = self.probe.tenants[i]
            m.d.comb += [
                tenant.queued.eq(queues.counts[i]),
                tenant.beats.eq(queues.heads[i].beats),
                tenant.class_code.eq(class_codes[i]),
                tenant.serviceable.eq(arbiter.heads[i].serviceable),
                tenant.candidate.eq(arbiter.candidates[i]),
                tenant.age.eq(ages[i]),
                tenant.start.eq(arbiter.start[i]),
                tenant.finish.eq(arbiter.finish[i]),
                tenant.committed.eq(buckets[i].committed),
                tenant.peak.eq(buckets[i].peak),
            ]
