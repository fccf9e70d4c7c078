"""A port: when it says that it is idle, nothing of it is anywhere."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover

from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_hw.link.request import Op
from mcos_hw.port.axi_port import AxiPort
from tests.formal.property import Harness, Method, Property, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig(
    tenants=4, beat_bytes=8, bytes_per_clock=8, max_beats=2, slots=16, stamp_width=16, id_width=4
)
ENTRIES = 4
CHANNELS = 2


class SmallPort(PortConfig):
    """Smaller than a port may be, so that a few clocks fill it."""

    def __post_init__(self) -> None:
        pass


class IdleHarness(Harness):
    """Bursts of one transfer, to two memories that answer what they were asked for in any order.

    Rows, enabled tenants and the interleave may change in every clock. Every tenant may land: a
    channel takes a request or lets it wait.
    """

    def elaborate(self, platform):
        m = Module()
        port = SmallPort(
            data_bytes=8,
            id_width=1,
            order_width=1,
            reads=ENTRIES,
            writes=ENTRIES,
            read_units=4 * CHANNELS,
            write_units=4 * CHANNELS,
            table_rows=2,
            hazard_rows=2,
            landing=2,
        )
        fabric = FabricConfig(channel=self.config, channels=CHANNELS, ports=(port,))
        block = AxiPort(fabric, 0)
        self.prove(m, block)
        bus = block.s_axi
        for channel in ("ar", "aw"):
            m.d.comb += [
                Assume(getattr(bus, f"{channel}len") == 0),
                Assume(getattr(bus, f"{channel}size") == port.size_limit),
            ]
        credits = [block.credits[tenant] for tenant in range(self.config.tenants)]
        m.d.comb += [
            Assume(block.departed == 0),
            *(Assume(credit == self.config.queue_depth) for credit in credits),
        ]

        # What memories have been asked for, by channel and entry.
        asked = Signal(CHANNELS)
        outstanding = []
        for c, request in enumerate(block.requests):
            payload = request.payload
            asks = request.valid & request.ready
            entry = payload.id[: fabric.entry_width]
            reads, landed, fetched = (
                Signal(ENTRIES, name=f"{name}_{c}") for name in ("reads", "landed", "fetched")
            )
            outstanding += [reads, landed, fetched]
            returned, fetch, told = block.returned[c], block.fetch[c], block.acknowledged[c]
            m.d.comb += [
                asked[c].eq(request.valid),
                Assume(
                    implies(returned.valid, reads.bit_select(returned.entry, 1) & returned.last)
                ),
                Assume(implies(fetch.stb, landed.bit_select(fetch.entry, 1) & fetch.last)),
                Assume(implies(told.valid, fetched.bit_select(told.entry, 1))),
            ]
            for k in range(ENTRIES):
                here = asks & (entry == k)
                with m.If(here & (payload.op == Op.READ)):
                    m.d.sync += reads[k].eq(1)
                with m.Elif(returned.valid & (returned.entry == k)):
                    m.d.sync += reads[k].eq(0)
                with m.If(here & (payload.op == Op.WRITE)):
                    m.d.sync += landed[k].eq(1)
                with m.Elif(fetch.stb & (fetch.entry == k)):
                    m.d.sync += [landed[k].eq(0), fetched[k].eq(1)]
                with m.If(told.valid & (told.entry == k)):
                    m.d.sync += fetched[k].eq(0)

        # Nothing came in since the port was idle.
        enters = (bus.arvalid & bus.arready) | (bus.awvalid & bus.awready)
        quiet = Signal()
        m.d.sync += quiet.eq((block.idle | quiet) & ~enters)
        read, written = Signal(), Signal()
        m.d.sync += [
            read.eq(read | (bus.rvalid & (bus.rresp == 0))),
            written.eq(written | (bus.bvalid & (bus.bresp == 0))),
        ]
        m.d.comb += [
            Assert(implies(block.idle, ~asked.any())),
            Assert(implies(block.idle, ~Cat(outstanding).any())),
            Assert(implies(quiet, block.idle)),
            *self.scenario(*(request.ready for request in block.requests)),
            Cover(block.idle & read & written),
        ]
        return m


PROPERTIES = (
    Property(
        name="axi_port.idle",
        claim=(
            "An idle port has nothing at a channel, and nothing outstanding at a memory; it stays "
            "so until a burst enters, which no channel hears of in the clock in which it enters."
        ),
        block="mcos_hw.port.axi_port.AxiPort",
        config=CONFIG,
        harness=IdleHarness,
        method=Method.BOUNDED,
        depth=14,
        bug=Bug(module="mcos_hw.port.reads", text="(under_way == 0)", instead="Const(1, 1)"),
        reach=18,
        slow=True,
    ),
)
