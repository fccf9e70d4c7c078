"""The pages of a compact channel's contracts: all that is read changes with a commit, at once."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover

from mcos_hw.config import ChannelConfig
from mcos_hw.control.pages import ContractPages
from mcos_hw.registers import channel_map
from mcos_hw.registers.image import SectionKind
from tests.formal.property import Harness, Method, Property, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig(lateness=0, grant_interval=8)
PAGES = "mcos_hw.control.pages"


class PagesHarness(Harness):
    """Follows the word of any one register and element through both pages.

    A commit comes when that word has been written since the last one: the loader refuses an image
    that leaves one out. Words have no bits beside their fields.
    """

    def elaborate(self, platform):
        m = Module()
        registers = channel_map(self.config)
        pages = ContractPages(self.config, registers)
        self.inside = self.prove(m, pages)
        places = list(registers.image_words())
        watched = self.any_constant(m, range(len(places)), name="watched")
        page = self.look("page", 1)
        valid = self.look("valid", 1)

        def of_watched(values):
            return Array(values)[watched]

        # What was written last, and what of it a commit has made live.
        shadow = Signal(32)
        written = Signal()
        live = Signal(32)
        live_before = Signal(32)
        written_now = of_watched(
            self._comes(pages, registers, register, index) for register, index in places
        )
        committed = Signal()
        m.d.sync += [live_before.eq(live), committed.eq(pages.commit_stb)]
        with m.If(written_now):
            m.d.sync += [shadow.eq(pages.word), written.eq(1)]
        with m.If(pages.commit_stb):
            m.d.sync += [live.eq(shadow), written.eq(0)]
        mask = of_watched(Const(register.mask, 32) for register, _ in places)
        m.d.comb += [
            Assume(watched < len(places)),
            Assume(implies(pages.commit_stb, written & ~pages.channel.stb & ~pages.tenant.stb)),
            Assume(~(pages.channel.stb & pages.tenant.stb)),
            Assume(pages.tenant.element < self.config.tenants),
            *(
                Assume(place.row < len(registers.section(kind)))
                for kind, place in (
                    (SectionKind.CHANNEL, pages.channel),
                    (SectionKind.TENANT, pages.tenant),
                )
            ),
            Assume(implies(written_now, (pages.word & ~mask) == 0)),
            self.invariant(implies(~valid, live == 0)),
            Cover(committed & (live != live_before) & (live_before != 0)),
        ]

        # Software.
        index = Signal.like(pages.window.index)
        asked = Signal()
        m.d.comb += index.eq(
            of_watched(Const(register.offset // 4 + index, 32) for register, index in places)
        )
        m.d.sync += asked.eq(pages.window.index == index)
        m.d.comb += Assert(implies(asked, pages.window.data == live_before))
        self._keeps(m, "words", index, page=page, live=valid, kept=live)
        self._keeps(m, "words", index, page=~page, live=written, kept=shadow)

        # Readers.
        tenant = Signal(self.config.tenant_width)
        m.d.comb += tenant.eq(of_watched(Const(index, 8) for _, index in places))
        rows = registers.section(SectionKind.TENANT)
        for reader in pages.contracts.signature.members:
            read = getattr(pages.contracts, reader)
            for register in rows:
                here = Cat(each is register for each, _ in places).bit_select(watched, 1)
                for field in register.fields:
                    if field.name not in read.row.shape().members:
                        continue
                    bits = slice(field.low, field.low + field.width)
                    m.d.comb += Assert(
                        implies(here & (read.tenant == tenant), read.row[field.name] == live[bits])
                    )
                    name = f"{reader}_{field.name}"
                    self._keeps(m, name, tenant, page=page, live=here & valid, kept=live[bits])
                    self._keeps(m, name, tenant, page=~page, live=here & written, kept=shadow[bits])
        return m

    def _comes(self, pages, registers, register, index) -> Value:
        """The word of a register is written in this clock."""
        place = getattr(pages, register.section.name.lower())
        row = registers.section(register.section).index(register)
        mine = place.stb & (place.row == row)
        return mine & (place.element == index) if register.count > 1 else mine

    def _keeps(self, m, memory: str, row: Value, *, page, live: Value, kept: Value) -> None:
        """A memory's row of a page has what is kept, if anything."""
        port = self.inside.submodules[memory].read_port(domain="comb")
        m.d.comb += [
            port.addr.eq(Cat(row, page)),
            self.invariant(implies(live, port.data == kept)),
        ]


PROPERTIES = (
    Property(
        name="pages.commit_is_atomic",
        claim=(
            "Every reader, and software, gets of any register the word that was last written "
            "before the last commit, from the clock after that on; 0 until the first commit after "
            "reset."
        ),
        block="mcos_hw.control.pages.ContractPages",
        config=CONFIG,
        harness=PagesHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=PAGES,
            text="live.addr.eq(Cat(read.tenant, page))",
            instead="live.addr.eq(Cat(read.tenant, ~page))",
        ),
        reach=8,
    ),
)
