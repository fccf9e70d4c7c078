"""The register bank: the AXI4-Lite rules, one response per access, no write lost or doubled."""

from amaranth import *
from amaranth.hdl import Assert, Cover

from mcos_hw.bus.axi4lite import Response
from mcos_hw.config import ChannelConfig
from mcos_hw.control.bank import RegisterBank, identification
from mcos_hw.registers import ArbiterKind, channel_map
from mcos_hw.registers.declaration import Access
from tests.formal.property import Harness, Method, Property, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig()
BLOCK = "mcos_hw.control.bank.RegisterBank"
BANK = "mcos_hw.control.bank"
READ_CLOCKS = 5
"""From the clock of a read's address to the clock of its data."""


class BankHarness(Harness):
    """A bank; its manager may do what it likes, the AXI rules included or not."""

    def begin(self, m: Module) -> RegisterBank:
        """Add the bank of a channel."""
        registers = channel_map(self.config)
        constants = identification(registers, arbiter=ArbiterKind.MCOS)
        bank = RegisterBank(registers, constants=constants)
        self.prove(m, bank)
        return bank


class ReadHarness(BankHarness):
    """Counts reads that have an address and no data yet."""

    def elaborate(self, platform):
        m = Module()
        bank = self.begin(m)
        bus = bank.s_axil
        state = self.look("read_state", 3)

        asked = Signal()
        waited = Signal(range(READ_CLOCKS + 1))
        stalled = Signal()
        before = Signal(34)
        answer = Cat(bus.rdata, bus.rresp)
        taken, given = bus.arvalid & bus.arready, bus.rvalid & bus.rready
        m.d.sync += [
            asked.eq(taken | (asked & ~given)),
            waited.eq(Mux(taken, 1, waited + (waited != READ_CLOCKS))),
            stalled.eq(bus.rvalid & ~bus.rready),
            before.eq(answer),
        ]
        m.d.comb += [
            self.invariant(
                asked == (state != 0),
                state <= READ_CLOCKS,
                implies(state != 0, waited == state),
            ),
            # An answer stays until it is taken.
            Assert(implies(stalled, bus.rvalid & (answer == before))),
            # One answer per address, in time, and none without.
            Assert(bus.rvalid == (asked & (waited == READ_CLOCKS))),
            Assert(bus.arready == ~asked),
            Cover(stalled & given),
        ]
        return m


class WriteHarness(BankHarness):
    """Remembers the address and the word that have come and not been used."""

    def elaborate(self, platform):
        m = Module()
        bank = self.begin(m)
        bus = bank.s_axil

        addressed = Signal()
        worded = Signal()
        pending = Signal()
        word = Signal(len(bus.wdata))
        stalled = Signal()
        before = Signal(len(bus.bresp))
        whole = Signal()
        m.d.comb += whole.eq(addressed & worded & ~pending)
        with m.If(bus.awvalid & bus.awready):
            m.d.sync += addressed.eq(1)
        with m.If(bus.wvalid & bus.wready):
            m.d.sync += [worded.eq(1), word.eq(bus.wdata)]
        with m.If(whole):
            m.d.sync += [addressed.eq(0), worded.eq(0), pending.eq(1)]
        with m.If(bus.bvalid & bus.bready):
            m.d.sync += pending.eq(0)
        m.d.sync += [stalled.eq(bus.bvalid & ~bus.bready), before.eq(bus.bresp)]

        control, image = (getattr(bank, name) for name in ("image_control", "image_data"))
        m.d.comb += [
            self.invariant(implies(worded, image.word == word)),
            Assert(addressed == ~bus.awready),
            Assert(worded == ~bus.wready),
            # A response stays until it is taken; there is one per write, and none without.
            Assert(implies(stalled, bus.bvalid & (bus.bresp == before))),
            Assert(bus.bvalid == pending),
            # What a write does, it does once: in the clock in which it is whole.
            Assert(implies(image.stb | control.stb, whole)),
            Assert(~(image.stb & control.stb)),
            Assert(implies(image.stb, image.word == word)),
            Cover(stalled & bus.bready),
            Cover(image.stb & (word == 0x1234_5678)),
        ]
        self.more(m, bank, whole, pending)
        return m

    def more(self, m: Module, bank: RegisterBank, whole: Signal, pending: Signal) -> None:
        """Further claims."""


class DecodeHarness(WriteHarness):
    """Remembers where the last write went to as well."""

    def more(self, m, bank, whole, pending):
        bus = bank.s_axil
        registers = bank.registers.registers
        address = Signal(len(bus.awaddr))
        strobes = Signal(len(bus.wstrb))
        with m.If(bus.awvalid & bus.awready):
            m.d.sync += address.eq(bus.awaddr)
        with m.If(bus.wvalid & bus.wready):
            m.d.sync += strobes.eq(bus.wstrb)

        def within(register):
            return (address >= register.offset) & (address < register.offset + register.size)

        events = [each for each in registers if each.access is Access.WRITE]
        accepted = Signal()
        expected = Signal(Response)
        m.d.comb += accepted.eq(strobes.all() & Cat(within(each) for each in events).any())
        with m.If(whole):
            m.d.sync += expected.eq(
                Mux(
                    accepted,
                    Response.OKAY,
                    Mux(
                        Cat(within(each) for each in registers).any(),
                        Response.SLVERR,
                        Response.DECERR,
                    ),
                )
            )
        for each in events:
            happens = getattr(bank, each.name.lower()).stb
            m.d.comb += Assert(happens == (whole & strobes.all() & within(each)))
        m.d.comb += [
            Assert(implies(pending, bus.bresp == expected)),
            Cover(pending & (expected == Response.SLVERR)),
            Cover(pending & (expected == Response.DECERR)),
        ]


PROPERTIES = (
    Property(
        name="bank.read_handshake",
        claim=(
            "A read is answered once, five clocks after its address, and the answer stays as it "
            "is until it is taken."
        ),
        block=BLOCK,
        config=CONFIG,
        harness=ReadHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=BANK,
            text="with m.If(bus.rready):",
            instead="with m.If(bus.rready | bus.arvalid):",
        ),
        reach=8,
    ),
    Property(
        name="bank.write_handshake",
        claim=(
            "Address and word may come in either order; the write happens once, its response "
            "comes once and stays until it is taken."
        ),
        block=BLOCK,
        config=CONFIG,
        harness=WriteHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=BANK,
            text="write.eq(address_held & word_held & ~bus.bvalid)",
            instead="write.eq(address_held & word_held)",
        ),
        reach=8,
    ),
    Property(
        name="bank.write_decode",
        claim=(
            "A write reaches the register at its address and no other, only as a whole word, and "
            "says OKAY, SLVERR or DECERR accordingly."
        ),
        block=BLOCK,
        config=CONFIG,
        harness=DecodeHarness,
        method=Method.BOUNDED,
        depth=8,
        bug=Bug(
            module=BANK,
            text="with m.If(strobes.all()):",
            instead="with m.If(strobes.any()):",
        ),
        reach=6,
    ),
)
