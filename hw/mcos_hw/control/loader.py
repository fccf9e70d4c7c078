"""Takes an image word by word, has it checked, and makes it live at once or not at all."""

from collections.abc import Callable, Sequence
from typing import Any

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.config import ChannelConfig
from mcos_hw.control.bank import Window, image_window_signature
from mcos_hw.control.checker import ChannelChecker, SectionChecker, TenantChecker
from mcos_hw.control.checksum import Checksum
from mcos_hw.control.fabric_checker import FabricChecker, PortsChecker
from mcos_hw.control.pages import ContractPages
from mcos_hw.control.store import (
    ConfigStore,
    PortImage,
    port_image_signature,
    select_contract,
)
from mcos_hw.link.contract import (
    ContractReads,
    contract_readers,
    contract_reads_signature,
    reads_of_channels,
)
from mcos_hw.link.live import live_layout, section_layout
from mcos_hw.registers import COLOUR_BITS
from mcos_hw.registers.declaration import RegisterMap
from mcos_hw.registers.image import (
    HEADER_WORDS,
    IMAGE_MAGIC,
    IMAGE_VERSION,
    HeaderWord,
    ImageCode,
    ImageState,
    Section,
    SectionKind,
)

__all__ = ["ImageLoader"]


EVERY = 0xFF
"""Index of a refused section whose number is not told."""

CHECKERS = (TenantChecker, ChannelChecker, FabricChecker, PortsChecker)
"""Who judges each kind of section. The first that is not content gives the code."""


class ImageLoader(wiring.Component):
    """Loader and store of the configuration of a channel, or of a fabric's channels.

    Takes one word a clock, of a compact channel one in two clocks, which is what the bus brings. It
    checks the header and hands each section to the checker of its kind. The first wrong word
    refuses the image: a word of the header, the first word of a section, or a value with a bit
    outside its field. The last word is the checksum. In the clock after it the loader collects the
    verdicts: it refuses the image as MISSING if not all sections have come, or with a checker's
    code if a value breaks a rule; else the image is STAGED.

    The loader knows no rule about values; see :class:`~mcos_hw.control.checker.SectionChecker` and
    its subclasses.

    What software may do, and what happens:

    ========= ========= ======================= ====================== ==================
    state     begin     word                    commit                 code of a refusal
    ========= ========= ======================= ====================== ==================
    EMPTY     RECEIVING ignored                 EMPTY                  NOT_STAGED
    RECEIVING RECEIVING taken                   REFUSED                TRUNCATED
    CHECKING  RECEIVING REFUSED                 REFUSED                OVERLONG, TRUNCATED
    STAGED    RECEIVING REFUSED                 live, then EMPTY       OVERLONG
    REFUSED   RECEIVING ignored                 REFUSED                as it was
    ========= ========= ======================= ====================== ==================

    With several channels a commit that would change the interleave or the bits of page colours
    while ``drained`` is low has no effect but the code NOT_DRAINED: the image stays STAGED, and may
    be committed when nothing is under way any more. The first commit after reset may change both,
    as no request has reached a channel before it.

    A begin and a commit in one clock count as a commit after a begin; either one goes before a
    word in the same clock. The live configuration changes by a commit in STAGED and by nothing
    else, and is all zero after reset.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.
    registers : RegisterMap
        ``channel_map(config)``, or ``fabric_map`` of a fabric of such channels.

    Members
    -------
    begin : In(1)
        Forget what was received; expect word 0.
    commit : In(1)
        Make the staged image live.
    word_stb : In(1)
        ``word`` is the next word of the image.
    word : In(32)
        The word.
    state : Out(ImageState)
        Where the loader is.
    code : Out(ImageCode)
        Why the last image or commit was refused; NONE from a begin or a good commit on.
    section : Out(16)
        Kind and index of the section that the refusal is about, 0 if it is about none. The index is
        EVERY for values, which are judged together, and for sections that are left out. Only if the
        map has a register for it.
    received : Out
        Words taken since the last begin, the refused one included.
    generation : Out(32)
        Commits since reset, modulo 2**32.
    live_label, live_crc : Out(32)
        Label and checksum of the live image.
    drained : In(1)
        No request is under way; only with several channels.
    live : Out(live_layout(registers))
        The live configuration, as far as it is kept in registers; ``channel`` is that of channel 0.
    live_channels : Out(section_layout(registers, CHANNEL)), an array
        The settings of each channel.
    live_fabric : Out(section_layout(registers, FABRIC))
        What holds for all channels together; only if the map has such settings.
    ports : Out(PortImage)
        What an image sets of ports, for their owner to keep; only if the map has such settings.
    contracts : In(ContractReads)
        What readers want of it; an array with several channels.
    image : In(image_window_signature(registers))
        What software reads of it; only if the map is paged.
    commit_stb : Out(1)
        The edge that ends this clock makes a new configuration live.

    Raises
    ------
    ValueError
        If the map is one of another number of tenants.
    """

    begin: Signal
    commit: Signal
    word_stb: Signal
    word: Signal
    state: Signal
    code: Signal
    section: Signal
    received: Signal
    generation: Signal
    live_label: Signal
    live_crc: Signal
    drained: Signal
    live: data.View
    live_channels: Sequence[data.View]
    live_fabric: data.View
    ports: PortImage
    contracts: ContractReads
    image: Window
    commit_stb: Signal

    def __init__(self, config: ChannelConfig, registers: RegisterMap) -> None:
        layout = live_layout(registers)
        tenants = layout["tenants"].shape.length
        if tenants != config.tenants:
            raise ValueError(
                f"registers must be a map of {config.tenants} tenants as config has, not {tenants}"
            )
        self.config = config
        self.registers = registers
        self.channels = channels = registers.channels
        contracts = In(contract_reads_signature(config))
        super().__init__(
            {
                "begin": In(1),
                "commit": In(1),
                "word_stb": In(1),
                "word": In(32),
                "state": Out(ImageState),
                "code": Out(ImageCode),
                "received": Out(range(registers.image_length + 1)),
                "generation": Out(32),
                "live_label": Out(32),
                "live_crc": Out(32),
                "live": Out(layout),
                "live_channels": Out(layout["channel"].shape).array(registers.channels),
                **self._fabric_members(),
                "contracts": contracts if channels == 1 else contracts.array(channels),
                **({"image": In(image_window_signature(registers))} if registers.paged else {}),
                "commit_stb": Out(1),
            }
        )

    @property
    def names_sections(self) -> bool:
        """Whether the map has a register for the section that a refusal is about."""
        return any(each.name == "IMAGE_SECTION" for each in self.registers.registers)

    def _fabric_members(self) -> dict[str, wiring.Member]:
        """What there is beside a channel's."""
        members = {}
        if self.registers.channels > 1:
            members["drained"] = In(1)
        if SectionKind.FABRIC in self.registers.sections():
            members["live_fabric"] = Out(section_layout(self.registers, SectionKind.FABRIC))
        if self.names_sections:
            members["section"] = Out(16)
        if SectionKind.PORTS in self.registers.sections():
            members["ports"] = Out(port_image_signature(self.registers))
        return members

    def elaborate(self, platform):
        m = Module()
        m.submodules.store = store = ConfigStore(self.registers)
        stores = [store]
        if self.registers.paged:
            m.submodules.pages = pages = ContractPages(
                self.config, self.registers, channels=self.channels
            )
            for outer, inner in zip(
                reads_of_channels(self.contracts, self.channels),
                reads_of_channels(pages.contracts, self.channels),
                strict=True,
            ):
                connect(m, flipped(outer), inner)
            connect(m, flipped(self.image), pages.window)
            stores.append(pages)
        else:
            for contracts in reads_of_channels(self.contracts, self.channels):
                for reader in contract_readers(self.config):
                    select_contract(m, store.live.tenants, getattr(contracts, reader))
        m.submodules.checksum = checksum = Checksum(steps=2 if self.config.compact else 1)
        kinds = self.registers.sections()
        checkers = [make(self.config, self.registers) for make in CHECKERS if make.kind in kinds]
        m.d.comb += [
            each.eq(value)
            for to in stores
            for each, value in ((to.word, self.word), (to.commit_stb, self.commit_stb))
        ]
        if SectionKind.PORTS in kinds:
            m.d.comb += [
                self.ports.word.eq(self.word),
                self.ports.begin.eq(self.begin),
                self.ports.commit_stb.eq(self.commit_stb),
            ]
        if store.optional:
            m.d.comb += store.begin.eq(self.begin)
        for checker in checkers:
            name = checker.kind.name.lower()
            m.submodules[f"{name}_checker"] = checker
            if checker.kind is SectionKind.PORTS:
                connect(m, checker.place, flipped(self.ports.place))
            else:
                takers = [to for to in stores if hasattr(to, name)]
                connect(m, checker.place, *(getattr(to, name) for to in takers))
            m.d.comb += [checker.begin.eq(self.begin), checker.word.eq(self.word)]

        if self.registers.channels > 1:
            by_kind: dict[SectionKind, Any] = {checker.kind: checker for checker in checkers}
            m.d.comb += by_kind[SectionKind.TENANT].limit.eq(by_kind[SectionKind.CHANNEL].limit)

        # A later assignment wins over an earlier one, here and everywhere in Amaranth: a begin over
        # a commit over a word. A begin also clears what the checkers keep.
        length = Signal.like(self.received)
        label = Signal(32)

        def refuse(code, section=0):
            m.d.sync += [self.state.eq(ImageState.REFUSED), self.code.eq(code)]
            if self.names_sections:
                m.d.sync += self.section.eq(section)

        moves = self._moves(m, store) if self.registers.channels > 1 else Const(0)
        complete = (self.state == ImageState.CHECKING) | (self.state == ImageState.STAGED)
        m.d.comb += [checksum.start.eq(self.begin), checksum.word.eq(self.word)]
        with m.Switch(self.state):
            with m.Case(ImageState.RECEIVING), m.If(self.word_stb):
                m.d.sync += self.received.eq(self.received + 1)
                with m.If(self.received < HEADER_WORDS):
                    # A word that comes with a begin is no word of the image that begins.
                    m.d.comb += checksum.valid.eq(~self.begin)
                    self._take_header(m, refuse, length=length, label=label)
                with m.Elif(self.received + 1 == length):
                    m.d.sync += self.state.eq(ImageState.CHECKING)
                    with m.If(self.word != checksum.crc):
                        refuse(ImageCode.CRC)
                with m.Else():
                    m.d.comb += checksum.valid.eq(~self.begin)
                    self._take_section(m, refuse, checkers)
            with m.Case(ImageState.CHECKING):
                m.d.sync += self.state.eq(ImageState.STAGED)
                missing = Const(0, 16)
                for checker in reversed(checkers):
                    every = Section(kind=checker.kind, index=EVERY, words=0).pack()
                    missing = Mux(checker.complete, missing, every)
                    with m.If(checker.verdict != ImageCode.NONE):
                        refuse(checker.verdict, every)
                with m.If(~Cat(checker.complete for checker in checkers).all()):
                    refuse(ImageCode.MISSING, missing)

        with m.If(self.begin):
            m.d.sync += [
                self.state.eq(ImageState.RECEIVING),
                self.code.eq(ImageCode.NONE),
                self.received.eq(0),
            ]
            if self.names_sections:
                m.d.sync += self.section.eq(0)
            with m.If(self.commit):
                refuse(ImageCode.TRUNCATED)
        with m.Elif(self.commit), m.Switch(self.state):
            with m.Case(ImageState.EMPTY):
                m.d.sync += self.code.eq(ImageCode.NOT_STAGED)
            with m.Case(ImageState.RECEIVING, ImageState.CHECKING):
                refuse(ImageCode.TRUNCATED)
            with m.Case(ImageState.STAGED):
                m.d.comb += self.commit_stb.eq(1)
                if self.registers.channels > 1:
                    with m.If(moves & ~self.drained):
                        m.d.comb += self.commit_stb.eq(0)
                        m.d.sync += self.code.eq(ImageCode.NOT_DRAINED)
        with m.Elif(self.word_stb & complete):
            refuse(ImageCode.OVERLONG)

        self._show(m, store)
        with m.If(self.commit_stb):
            if self.registers.channels > 1:
                m.d.sync += self.code.eq(ImageCode.NONE)
            m.d.sync += [
                self.state.eq(ImageState.EMPTY),
                self.generation.eq(self.generation + 1),
                self.live_label.eq(label),
                self.live_crc.eq(checksum.crc),
            ]
        return m

    def _show(self, m: Module, store: ConfigStore) -> None:
        """Show what is live."""
        several = self.registers.channels > 1
        channels = store.live.channels if several else [store.live.channel]
        m.d.comb += [
            self.live.channel.eq(channels[0]),
            self.live.tenants.eq(store.live.tenants),
            *(shown.eq(each) for shown, each in zip(self.live_channels, channels, strict=True)),
        ]
        if store.optional:
            m.d.comb += self.live_fabric.eq(store.live.fabric)

    def _moves(self, m: Module, store: ConfigStore) -> Signal:
        """A commit would change what addresses and page colours mean to requests under way.

        A register: what is staged came clocks before.
        """

        def meant(kept: data.View) -> Value:
            width = (self.registers.channels - 1).bit_length()
            masks = (kept.fabric[f"mask_{j}"] for j in range(width))
            bits = (each[f"colour_bit_{k}"] for each in kept.channels for k in range(COLOUR_BITS))
            return Cat(kept.fabric.grain, *masks, *bits)

        served = Signal()
        moves = Signal()
        with m.If(self.commit_stb):
            m.d.sync += served.eq(1)
        m.d.sync += moves.eq(served & (meant(store.shadow) != meant(store.live)))
        return moves

    def _take_header(
        self,
        m: Module,
        refuse: Callable[[Value | ImageCode], None],
        *,
        length: Signal,
        label: Signal,
    ) -> None:
        """Take a word of the header."""
        registers = self.registers
        with m.Switch(self.received):
            for place, expected, code in (
                (HeaderWord.MAGIC, IMAGE_MAGIC, ImageCode.MAGIC),
                (HeaderWord.VERSION, IMAGE_VERSION, ImageCode.VERSION),
                (HeaderWord.CAPABILITY, registers["CAPABILITY"].reset, ImageCode.SIZES),
                (HeaderWord.LIMITS, registers["LIMITS"].reset, ImageCode.SIZES),
                (HeaderWord.CLOCK, registers["CLOCK"].reset, ImageCode.CLOCK),
                (HeaderWord.MAP_HASH, registers["MAP_HASH"].reset, ImageCode.MAP_HASH),
            ):
                with m.Case(place), m.If(self.word != expected):
                    refuse(code)
            with m.Case(HeaderWord.WORDS):
                m.d.sync += length.eq(self.word)
                with m.If((self.word <= HEADER_WORDS) | (self.word > registers.image_length)):
                    refuse(ImageCode.WORDS)
            with m.Case(HeaderWord.LABEL):
                m.d.sync += label.eq(self.word)

    def _take_section(
        self,
        m: Module,
        refuse: Callable[..., None],
        checkers: Sequence[SectionChecker],
    ) -> None:
        """Hand a word to the checker whose section is open; without one, the word begins one."""
        began = Signal(16)
        with m.If(Cat(checker.open for checker in checkers).any()):
            for checker in checkers:
                m.d.comb += checker.word_stb.eq(checker.open)
                with m.If(checker.open & ~checker.fits):
                    refuse(checker.code, began)
        with m.Else():
            if self.names_sections:
                m.d.sync += began.eq(self.word)
            with m.Switch(self.word[:8]):
                for checker in checkers:
                    with m.Case(checker.kind):
                        m.d.comb += checker.open_stb.eq(1)
                        with m.If(checker.fault != ImageCode.NONE):
                            refuse(checker.fault, self.word[:16])
                with m.Default():
                    refuse(ImageCode.SECTION_KIND, self.word[:16])
