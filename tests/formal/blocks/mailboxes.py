"""Commands and completions of clients: none is lost, none is another client's, all in order."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover

from mcos_hw.config import ChannelConfig, FabricConfig, MovementConfig, PortConfig
from mcos_hw.movement.mailboxes import Mailboxes
from tests.formal.property import Harness, Method, Property, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


BLOCK = "mcos_hw.movement.mailboxes.Mailboxes"
MAILBOXES = "mcos_hw.movement.mailboxes"
CONFIG = ChannelConfig(tenants=4, bytes_per_clock=8, beat_bytes=8, max_beats=8)
ROOM = 2


class MailboxHarness(Harness):
    """Gives, completes and takes at random, and follows any command and any completion of any
    client."""

    def elaborate(self, platform):
        m = Module()
        fabric = FabricConfig(channel=self.config, ports=(PortConfig(inner=True),))
        block = Mailboxes(fabric, MovementConfig(frame_bytes=256, jobs=4, commands=ROOM))
        self.prove(m, block)
        tenant = self.any_constant(m, block.writer.shape(), name="any_tenant")
        given, came = block.commands, block.completions
        gives, takes, leaves, comes = [], [], [], []
        for t in range(self.config.tenants):
            gives.append(block.give & (block.writer == t))
            takes.append(block.take & (block.writer == t))
            leaves.append(given.valid & given.ready & (given.payload.tenant == t))
            comes.append(came.valid & (came.payload.tenant == t))
            queued, under_way, waiting = (
                Signal(range(ROOM + 2), name=f"{name}_{t}")
                for name in ("queued", "under_way", "waiting")
            )
            m.d.sync += [
                queued.eq(queued + gives[t] - leaves[t]),
                under_way.eq(under_way + leaves[t] - comes[t]),
                waiting.eq(waiting + comes[t] - takes[t]),
            ]
            m.d.comb += [
                Assume(implies(gives[t], block.room[t] != 0)),
                Assume(implies(takes[t], block.waiting[t] != 0)),
                Assume(implies(comes[t], under_way != 0)),
                Assert(implies(leaves[t], queued != 0)),
                Assert(block.waiting[t] == waiting),
                Assert(block.room[t] == ROOM - queued - under_way - waiting),
            ]
            with m.If(tenant == t):
                m.d.comb += [
                    self._of(m, "queued").eq(queued),
                    self._of(m, "waiting").eq(waiting),
                    self._of(m, "gives").eq(gives[t]),
                    self._of(m, "takes").eq(takes[t]),
                    self._of(m, "leaves").eq(leaves[t]),
                    self._of(m, "comes").eq(comes[t]),
                ]
        self._follow_command(m, block, tenant)
        self._follow_completion(m, block, tenant)
        return m

    def _of(self, m: Module, name: str) -> Signal:
        """What any tenant has or does."""
        found = self.__dict__.setdefault("found", {})
        if name not in found:
            found[name] = Signal(range(ROOM + 2), name=f"any_{name}")
        return found[name]

    def _follow_command(self, m: Module, block: Mailboxes, tenant: Value) -> None:
        """It leaves when those before it have left, with the parts that its client wrote."""
        found, payload = self.found, block.commands.payload
        low, written = Signal(32), Signal()
        with m.If(block.parts.low_stb & (block.writer == tenant)):
            m.d.sync += [low.eq(block.parts.object_low), written.eq(1)]
        mark = self.any_value(1, name="marks_command")
        marked, ahead = Signal(), Signal(range(ROOM + 2))
        number, operation, name, named = Signal(16), Signal(4), Signal(32), Signal()
        with m.If(marked & found["leaves"]):
            m.d.sync += [ahead.eq(ahead - 1), marked.eq(ahead != 0)]
            with m.If(ahead == 0):
                m.d.comb += [
                    Assert(payload.number == number),
                    Assert(payload.operation == operation),
                    Assert(implies(named, payload.object[:32] == name)),
                    Cover(named & (found["queued"] == ROOM) & (found["waiting"] == 0)),
                ]
        with m.If(mark & ~marked & found["gives"]):
            m.d.sync += [
                marked.eq(1),
                ahead.eq(found["queued"] - found["leaves"]),
                number.eq(block.number),
                operation.eq(block.operation),
                name.eq(low),
                named.eq(written),
            ]

    def _follow_completion(self, m: Module, block: Mailboxes, tenant: Value) -> None:
        """It is shown to its client when those before it are taken."""
        found, payload = self.found, block.completions.payload
        mark = self.any_value(1, name="marks_completion")
        marked, ahead = Signal(), Signal(range(ROOM + 2))
        number, address = Signal.like(payload.number), Signal.like(payload.address)
        oldest, none = Signal(), Signal()
        reads = block.reader == tenant
        m.d.sync += [
            oldest.eq(marked & (ahead == 0) & reads),
            none.eq((found["waiting"] == 0) & reads),
        ]
        with m.If(oldest):
            m.d.comb += [
                Assert(block.shown),
                Assert(block.oldest.number == number),
                Assert(block.oldest.address == address),
            ]
        m.d.comb += Assert(implies(none, ~block.shown))
        with m.If(marked & found["takes"]):
            m.d.sync += [ahead.eq(ahead - 1), marked.eq(ahead != 0)]
        with m.If(mark & ~marked & ~oldest & found["comes"]):
            m.d.sync += [
                marked.eq(1),
                ahead.eq(found["waiting"] - found["takes"]),
                number.eq(payload.number),
                address.eq(payload.address),
            ]


def _property(name: str, claim: str, text: str, instead: str) -> Property:
    return Property(
        name=name,
        claim=claim,
        block=BLOCK,
        config=CONFIG,
        harness=MailboxHarness,
        method=Method.BOUNDED,
        depth=6,
        bug=Bug(module=MAILBOXES, text=text, instead=instead),
        reach=8,
        slow=True,
    )


PROPERTIES = (
    _property(
        "mailboxes.no_command_lost",
        "Each command leaves once, in the order of its client, with what this client wrote.",
        "first[tenant] + goes",
        "first[tenant] + (goes & ~enters)",
    ),
    _property(
        "mailboxes.completions_have_room",
        "Each completion is shown to its client alone, in order, and always has a place.",
        "Cat(at_index(self.reader, first), self.reader)",
        "Cat(at_index(self.reader, first), self.writer)",
    ),
)
