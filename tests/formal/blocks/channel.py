"""The whole channel: a request goes from offer to command to response once, and no byte is lost."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover

from mcos_hw.channel.arbiter.wf2q.wfq import WfqArbiter
from mcos_hw.channel.channel import Channel
from mcos_hw.config import ChannelConfig
from mcos_hw.control.store import select_contract
from mcos_hw.link.request import request_layout
from tests.formal.property import Harness, Method, Property, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig(
    tenants=4,
    queue_depth=2,
    slots=16,
    id_width=4,
    address_width=32,
    stamp_width=16,
    tag_fraction=8,
    reciprocal_fraction=16,
    total_reciprocal_fraction=16,
    clocks_width=12,
    depth_width=12,
)
"""Small, because a proof of all blocks together is bounded: nothing is assumed between them."""

BLOCK = "mcos_hw.channel.channel.Channel"


class ChannelHarness(Harness):
    """Ports offer any requests, memory serves what it was given in any order and at any time.

    The live configuration is any legal one, and a commit makes it another one in any clock.
    """

    def begin(self, m: Module) -> Channel:
        """Add the channel and what its surroundings keep to."""
        config = self.config
        channel = Channel(config, arbiter=WfqArbiter(config))
        self.prove(m, channel)
        for reader in channel.contracts.signature.members:
            read = getattr(channel.contracts, reader)
            select_contract(m, channel.live.tenants, read)
            self.given(read.row.as_value())
        self.request = channel.request.payload
        self.taken = Signal()
        self.sent = Signal()
        self.commits = self.any_value(1, name="commits")
        self.committed = Signal()
        command, completion = channel.command, channel.completion
        m.d.comb += [
            self.taken.eq(
                channel.request.valid & channel.request.ready.bit_select(self.request.tenant, 1)
            ),
            self.sent.eq(command.valid & command.ready),
            Assume(self.request.beats.as_unsigned() != 0),
            Assume(self.request.beats <= config.max_beats),
        ]
        waiting = Signal(config.slots)
        m.d.sync += waiting.eq(
            (waiting | (self.sent << command.payload.slot))
            & ~(completion.valid << completion.payload.slot)
        )
        m.d.comb += Assume(~completion.valid | waiting.bit_select(completion.payload.slot, 1))

        known = Signal()
        image = Cat(channel.live.channel, channel.live.tenants)
        live = Signal(len(image))
        m.d.sync += [
            known.eq(1),
            live.eq(image),
            self.committed.eq(self.committed | self.commits),
        ]
        m.d.comb += [
            Assume(~known | self.commits | (image == live)),
            Assume(~self.commits | ~self.committed),
            Assume(self.legal(channel)),
        ]
        return channel

    def legal(self, channel: Channel) -> Value:
        """What the loader lets through, as far as the channel relies on it."""
        config = self.config
        shared = channel.live.channel
        full_rate = config.bytes_per_clock << config.rate_fraction
        conditions = [
            shared.pacer_rate <= full_rate,
            shared.port_credit >= config.l_max,
            shared.port_credit <= config.slots * config.l_max,
            shared.inverse_total_weight <= 1 << config.total_reciprocal_fraction,
        ]
        for i in range(config.tenants):
            contract = channel.live.tenants[i]
            conditions += [
                contract.committed_rate <= contract.peak_rate,
                contract.peak_rate <= full_rate,
                Mux(
                    contract.committed_rate == 0,
                    contract.committed_depth == 0,
                    contract.committed_depth >= config.l_max,
                ),
                contract.committed_depth <= contract.peak_depth,
                contract.inverse_weight <= 1 << config.reciprocal_fraction,
            ]
        return Cat(conditions).all()


class OnceHarness(ChannelHarness):
    """Follows any one request; no other one of its tenant has its id or its address."""

    def elaborate(self, platform):
        m = Module()
        config = self.config
        channel = self.begin(m)
        request = self.any_constant(m, request_layout(config), name="any_request")
        command, completion, response = channel.command, channel.completion, channel.response
        sent, answer = command.payload, response.payload

        queued = Signal()
        at_memory = Signal()
        served = Signal()
        slot = Signal(config.slot_width)
        followed = Signal()
        offered = self.request
        is_it = (offered.tenant == request.tenant) & (
            (offered.id == request.id) | (offered.address == request.address)
        )
        taken = self.taken & is_it
        is_sent = self.sent & (sent.tenant == request.tenant) & (sent.address == request.address)
        completed = at_memory & completion.valid & (completion.payload.slot == slot)
        answered = response.valid & (answer.tenant == request.tenant) & (answer.id == request.id)
        m.d.comb += [
            Assume(~taken | ~followed),
            Assume(~taken | (offered.as_value() == request.as_value())),
            Assert(implies(is_sent, queued)),
            Assert(implies(is_sent, (sent.op == request.op) & (sent.beats == request.beats))),
            Assert(answered == served),
        ]
        m.d.sync += [
            followed.eq(followed | taken),
            queued.eq(taken | (queued & ~is_sent)),
            at_memory.eq(is_sent | (at_memory & ~completed)),
            served.eq(completed),
        ]
        with m.If(is_sent):
            m.d.sync += slot.eq(sent.slot)
        # It waits behind another one of its tenant, and a commit comes while it does.
        changed = Signal()
        behind = Signal()
        m.d.sync += [
            changed.eq(changed | (queued & self.commits)),
            behind.eq(behind | (queued & self.sent & ~is_sent & (sent.tenant == request.tenant))),
        ]
        m.d.comb += Cover(served & changed & behind)
        return m


class ConservationHarness(ChannelHarness):
    """Keeps the sizes of what any one tenant has queued, and the sum of what memory owes."""

    def elaborate(self, platform):
        m = Module()
        config = self.config
        channel = self.begin(m)
        tenant = self.any_constant(m, config.tenant_width, name="any_tenant")
        probe = channel.probe.channel
        mine = channel.probe.tenants[tenant]
        taken = self.taken & (self.request.tenant == tenant)
        granted = probe.granted & (probe.tenant == tenant)

        sizes = [Signal(config.beats_width, name=f"size_{i}") for i in range(config.queue_depth)]
        count = Signal(range(config.queue_depth + 1))
        place = Signal.like(count)
        total = Signal(16)
        passed = Signal(16)
        m.d.comb += place.eq(count - granted)
        m.d.sync += count.eq(place + taken)
        with m.If(granted):
            m.d.sync += [
                Cat(sizes).eq(Cat(*sizes[1:], Const(0, config.beats_width))),
                passed.eq(passed + probe.beats),
            ]
        with m.If(taken):
            m.d.sync += total.eq(total + self.request.beats)
            for i, size in enumerate(sizes):
                with m.If(place == i):
                    m.d.sync += size.eq(self.request.beats)
        m.d.comb += [
            Assert(mine.queued == count),
            Assert(implies(granted, mine.present & (probe.beats == mine.beats))),
            Assert(implies(granted, probe.open & (probe.beats == sizes[0]))),
            Assert(total == passed + sum(sizes, Const(0))),
        ]
        again = Signal()
        m.d.sync += again.eq(again | (granted & (count == config.queue_depth) & self.committed))
        m.d.comb += Cover(again & granted & (count == config.queue_depth))
        return m


PROPERTIES = (
    Property(
        name="channel.once",
        claim=(
            "A request that is taken is sent to memory at most once and as it was offered, and is "
            "answered once, in the clock after memory has served it and in no other, also with a "
            "commit in between."
        ),
        block=BLOCK,
        config=CONFIG,
        harness=OnceHarness,
        method=Method.BOUNDED,
        depth=9,
        bug=Bug(
            module="mcos_hw.channel.channel",
            text="payload.id.eq(slots.served.entry.id)",
            instead="payload.id.eq(slots.served.entry.id & 1)",
        ),
        reach=12,
        skip=6,
        slow=True,
    ),
    Property(
        name="channel.conservation",
        claim=(
            "Of any tenant, the bytes taken are those queued and those granted, in every clock, "
            "and a grant is of the size of his oldest request."
        ),
        block=BLOCK,
        config=CONFIG,
        harness=ConservationHarness,
        method=Method.BOUNDED,
        depth=9,
        bug=Bug(
            module="mcos_hw.channel.arbiter.wf2q.wfq",
            text="pick(granted, [each.beats for each in self.view.nexts])",
            instead="pick(granted, [each.beats for each in self.view.heads])",
        ),
        reach=14,
        skip=5,
        slow=True,
    ),
)
