"""Where a compact channel keeps its tenants' contracts: memories with a live and a shadow page."""

from amaranth import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In

from mcos_hw.config import ChannelConfig
from mcos_hw.control.bank import Window, image_window_signature
from mcos_hw.control.store import Place, place_signature
from mcos_hw.link.contract import (
    ContractRead,
    ContractReads,
    contract_readers,
    contract_reads_signature,
    reads_of_channels,
)
from mcos_hw.registers.declaration import Register, RegisterMap
from mcos_hw.registers.image import SectionKind

__all__ = ["ContractPages"]


class ContractPages(wiring.Component):
    """Memories of two pages, of which one is live and images fill the other.

    Every reader has a memory of its own for each setting that it wants, with a row for each page
    and tenant. A further one has all words of the image, for software to read. A word enters the
    shadow page of each memory that wants it. A commit makes the shadow page the live one at the
    edge that ends its clock, so all readers see the new image from the next clock on, and none sees
    half of it. The page that was live is the shadow page then: an image has to bring every word,
    and the loader sees to that.

    After reset no page is live, and everything reads as 0 until the first commit.

    ::

        row of a reader's memory:  {page, tenant}
        row of the words:          {page, the low bits of the register's word address}

    Parameters
    ----------
    config : ChannelConfig
        Sizes.
    registers : RegisterMap
        The channel's map, ``channel_map(config)``.
    channels : int
        Channels that read.

    Members
    -------
    word : In(32)
        The word to put in.
    channel, tenant : In(place_signature(registers, kind))
        Where it goes.
    commit_stb : In(1)
        Make the shadow page live.
    contracts : In(ContractReads)
        What readers want, in the same clock; an array with several channels.
    window : In(image_window_signature(registers))
        What software reads, one clock later.
    """

    word: Signal
    channel: Place
    tenant: Place
    commit_stb: Signal
    contracts: ContractReads
    window: Window

    def __init__(self, config: ChannelConfig, registers: RegisterMap, *, channels: int = 1) -> None:
        self.config = config
        self.registers = registers
        self.channels = channels
        contracts = In(contract_reads_signature(config))
        super().__init__(
            {
                "word": In(32),
                "channel": In(place_signature(registers, SectionKind.CHANNEL)),
                "tenant": In(place_signature(registers, SectionKind.TENANT)),
                "commit_stb": In(1),
                "contracts": contracts if channels == 1 else contracts.array(channels),
                "window": In(image_window_signature(registers)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        page = Signal()
        valid = Signal()
        with m.If(self.commit_stb):
            m.d.sync += [page.eq(~page), valid.eq(1)]
        for c, contracts in enumerate(reads_of_channels(self.contracts, self.channels)):
            for reader in contract_readers(self.config):
                name = reader if self.channels == 1 else f"{reader}_{c}"
                self._serve(m, name, getattr(contracts, reader), page, valid)
        self._keep_words(m, page, valid)
        return m

    def _serve(self, m: Module, reader: str, read: ContractRead, page: Value, valid: Value) -> None:
        """The memories of one reader, a setting each: its word comes by itself."""
        place = self.tenant
        for position, register in enumerate(self.registers.section(SectionKind.TENANT)):
            for field in register.fields:
                if field.name not in read.row.shape().members:
                    continue
                m.submodules[f"{reader}_{field.name}"] = rows = memory.Memory(
                    shape=field.width,
                    depth=2 * self.config.tenants,
                    init=[],
                    attrs={"ram_style": "distributed"},
                )
                write, live = rows.write_port(), rows.read_port(domain="comb")
                m.d.comb += [
                    write.addr.eq(Cat(place.element[: self.config.tenant_width], ~page)),
                    write.data.eq(self.word[field.low : field.low + field.width]),
                    write.en.eq(place.stb & (place.row == position)),
                    live.addr.eq(Cat(read.tenant, page)),
                    read.row[field.name].eq(Mux(valid, live.data, 0)),
                ]

    def _keep_words(self, m: Module, page: Value, valid: Value) -> None:
        """All words as they come."""
        window = self.window
        address = Signal.like(window.index)
        word = Signal.like(self.word)
        m.submodules.words = words = memory.Memory(
            shape=len(word), depth=2 << len(address), init=[], attrs={"ram_style": "block"}
        )
        write, live = words.write_port(), words.read_port(domain="comb")
        for kind, place in ((SectionKind.CHANNEL, self.channel), (SectionKind.TENANT, self.tenant)):
            with m.If(place.stb), m.Switch(place.row):
                for position, register in enumerate(self.registers.section(kind)):
                    with m.Case(position):
                        m.d.comb += [
                            address.eq(self._address(register, place)),
                            word.eq(self._kept(register)),
                        ]
        m.d.comb += [
            write.addr.eq(Cat(address, ~page)),
            write.data.eq(word),
            write.en.eq(self.channel.stb | self.tenant.stb),
            live.addr.eq(Cat(window.index, page)),
        ]
        # A read with its register outside: synthesis sees that both ports never meet in a row, and
        # makes nothing for it.
        m.d.sync += window.data.eq(Mux(valid, live.data, 0))

    def _address(self, register: Register, place: Place) -> Value:
        """The low bits of the word address; an array is aligned to its size."""
        first = Const(register.offset // 4, len(self.window.index) + 1)[:-1]
        return first | place.element if register.count > 1 else first

    def _kept(self, register: Register) -> Value:
        """The word without bits beside its fields. With checks no image with such bits passes."""
        return self.word if self.config.loader_checks else self.word & register.mask
