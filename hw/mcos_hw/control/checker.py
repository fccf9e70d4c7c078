"""Judges the sections of an image, one checker a kind."""

from collections.abc import Mapping

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ADMISSIBLE_SHARE, ChannelConfig
from mcos_hw.control.store import Place, place_signature
from mcos_hw.registers.declaration import Field, RegisterMap
from mcos_hw.registers.image import (
    ALL_CHANNELS,
    OPTIONAL_SECTIONS,
    ImageCode,
    SectionKind,
)

__all__ = [
    "ChannelChecker",
    "SectionChecker",
    "TenantChecker",
]


class SectionChecker(wiring.Component):
    """Checker of the sections of one kind.

    The loader hands over the first word of each section with ``open_stb``, and every word after it
    with ``word_stb`` while ``open`` is high. A word may come in every clock. The checker answers
    with ``fault`` or ``fits`` in the same clock, and tells the store where a value goes. It refuses
    a section that the hardware does not have, a section of another length, and a section that is
    not the next of its kind.

    With ``config.loader_checks`` the checker compares each value with the field's ``least`` and
    ``most`` in the map, and applies the rules of a subclass. ``verdict`` tells from the clock after
    the last word on whether a rule was broken. Without ``config.loader_checks``, ``fits`` is always
    high and ``verdict`` is always NONE.

    It does not look at the image's header and checksum; the loader does.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.
    registers : RegisterMap
        The map whose registers an image sets.
    more : Mapping[str, wiring.Member] or None
        Further members of a subclass.

    Members
    -------
    begin : In(1)
        Forget every section, also one that is open; goes before anything else in its clock.
    word : In(32)
        The word of ``open_stb`` or ``word_stb``.
    open_stb : In(1)
        ``word`` begins a section of the kind.
    fault : Out(ImageCode)
        Why a section that ``word`` begins has to be refused, else NONE.
    open : Out(1)
        The next word is a value of a section of the kind.
    word_stb : In(1)
        ``word`` is a value.
    fits : Out(1)
        ``word`` has no bit outside the fields of its register.
    place : Out(place_signature(registers, kind))
        Where the store puts the value.
    complete : Out(1)
        All sections of the kind have come, whole, or none of a kind that may be left out.
    verdict : Out(ImageCode)
        What is wrong with the values, else NONE.
    """

    kind: SectionKind
    """Kind of the sections that it judges."""

    code: ImageCode = ImageCode.FIELD
    """What ``verdict`` is if a value breaks a rule."""

    flags: tuple[str, ...] = ()
    """Flags that rules of the subclass depend on, beside those that the map names."""

    begin: Signal
    word: Signal
    open_stb: Signal
    fault: Signal
    open: Signal
    word_stb: Signal
    fits: Signal
    place: Place
    complete: Signal
    verdict: Signal

    def __init__(
        self,
        config: ChannelConfig,
        registers: RegisterMap,
        more: Mapping[str, wiring.Member] | None = None,
    ) -> None:
        self.config = config
        self.registers = registers
        self.rows = tuple(register for register, _ in registers.section_words(self.kind))
        self.count = registers.sections()[self.kind]
        super().__init__(
            {
                "begin": In(1),
                "word": In(32),
                "open_stb": In(1),
                "fault": Out(ImageCode),
                "open": Out(1),
                "word_stb": In(1),
                "fits": Out(1),
                "place": Out(place_signature(registers, self.kind)),
                "complete": Out(1),
                "verdict": Out(ImageCode),
                **(more or {}),
            }
        )

    def elaborate(self, platform):
        m = Module()
        element = Signal(range(self.count + 1))
        row = Signal(range(len(self.rows)))
        m.d.comb += [
            self.fault.eq(self._fault(element)),
            self.complete.eq(element == self.count),
            self.place.stb.eq(self.word_stb),
            self.place.element.eq(element),
            self.place.row.eq(row),
        ]
        if self.kind in OPTIONAL_SECTIONS:
            with m.If((element == 0) & ~self.open):
                m.d.comb += self.complete.eq(1)
        with m.If(self.open_stb & (self.fault == ImageCode.NONE)):
            m.d.sync += self.open.eq(1)
        with m.If(self.word_stb):
            m.d.sync += row.eq(row + 1)
            with m.If(row == len(self.rows) - 1):
                m.d.sync += [row.eq(0), self.open.eq(0), element.eq(self._after(element))]
        with m.If(self.begin):
            m.d.sync += [element.eq(0), row.eq(0), self.open.eq(0)]
        if self.config.loader_checks:
            self._judge(m, row)
        else:
            m.d.comb += self.fits.eq(1)
        return m

    def _fault(self, element: Value) -> Value:
        """Why a section that ``word`` begins has to be refused: the first of its faults."""
        index, words = self._index(), self.word[16:]
        code = Const(ImageCode.NONE, ImageCode)
        # From the last to the first, as the outermost selection wins.
        for wrong, each in (
            (index > element, ImageCode.MISSING),
            (index < element, ImageCode.REPEATED),
            (words != len(self.rows), ImageCode.SECTION_WORDS),
            (index >= self.count, ImageCode.SECTION_INDEX),
        ):
            code = Mux(wrong, each, code)
        return code

    def _index(self) -> Value:
        """Which of its kind is the section that ``word`` begins."""
        return self.word[8:16]

    def _after(self, element: Value) -> Value:
        """Which section of its kind comes next, when one has ended."""
        return element + 1

    def _judge(self, m: Module, row: Value) -> None:
        """Hold each value against the rules, and remember whether it broke one."""
        broken = Signal()
        outside = Signal()
        flags = self._flags(m, row)
        with m.Switch(row):
            for position, register in enumerate(self.rows):
                with m.Case(position):
                    wrong = [self._outside(field, flags) for field in register.fields]
                    m.d.comb += [
                        self.fits.eq((self.word & ~register.mask & 0xFFFF_FFFF) == 0),
                        outside.eq(Cat(wrong).any()),
                    ]
        unrelated = self._unrelated(m, row, flags)
        with m.If(self.word_stb & (outside | unrelated)):
            m.d.sync += broken.eq(1)
        with m.If(self.begin):
            m.d.sync += broken.eq(0)
        with m.If(broken):
            m.d.comb += self.verdict.eq(self.code)

    def _outside(self, field: Field, flags: Mapping[str, Value]) -> Value:
        """The field's value in ``word`` is not one that the map allows."""
        value = self.word[field.low : field.low + field.width]
        outside = Const(0)
        if field.least:
            outside |= value < field.least
        if field.largest < (1 << field.width) - 1:
            outside |= value > field.largest
        return outside & flags[field.when] if field.when else outside

    def _unrelated(self, m: Module, row: Value, flags: Mapping[str, Value]) -> Value:
        """``word`` does not go with values that came before it in its section."""
        return Const(0)

    def _place_of(self, name: str) -> tuple[int, Value]:
        """The row of the field's register, and the field's value while its word comes."""
        for position, register in enumerate(self.rows):
            for field in register.fields:
                if field.name == name:
                    return position, self.word[field.low : field.low + field.width]
        raise KeyError(name)

    def _flags(self, m: Module, row: Value) -> dict[str, Signal]:
        """Fields of the open section on which later ones depend, from the clock after them on."""
        whens = {field.when for register in self.rows for field in register.fields}
        flags = {}
        for name in sorted({*whens, *self.flags} - {""}):
            position, value = self._place_of(name)
            flags[name] = Signal(name=name)
            with m.If(self.word_stb & (row == position)):
                m.d.sync += flags[name].eq(value)
        return flags


class ChannelChecker(SectionChecker):
    """Checker of CHANNEL sections: one for all channels, or one for each.

    With a single channel the section may name it by its number, which is 0, or be for all.

    With several, ``limit`` is the least paced rate of those that count: of a channel that has its
    pacer on, and priorities off that go before its guarantees. All channels share one epoch, so
    their sections have the same length of it, or ``verdict`` is EPOCH, unless it is FIELD.

    See :class:`SectionChecker`.
    """

    kind = SectionKind.CHANNEL

    limit: Signal

    def __init__(self, config: ChannelConfig, registers: RegisterMap) -> None:
        full_rate = config.bytes_per_clock << config.rate_fraction
        several = registers.channels > 1
        more = {"limit": Out(config.rate_width, init=full_rate)} if several else {}
        super().__init__(config, registers, more)
        if several:
            self.flags = ("overcommitted", "pacer_enable")

    def elaborate(self, platform):
        m = super().elaborate(platform)
        if self.count > 1:
            with m.If(self.open_stb):
                m.d.sync += self.place.every.eq(self.word[8:16] == ALL_CHANNELS)
        return m

    def _index(self) -> Value:
        index = super()._index()
        return Mux(index == ALL_CHANNELS, 0, index)

    def _after(self, element: Value) -> Value:
        if self.count == 1:
            return super()._after(element)
        return Mux(self.place.every, self.count, element + 1)

    def _judge(self, m: Module, row: Value) -> None:
        if self.count > 1:
            position, value = self._place_of("epoch_clocks")
            first, differs = Signal.like(value), Signal()
            with m.If(self.word_stb & (row == position)):
                with m.If(self.place.element == 0):
                    m.d.sync += first.eq(value)
                with m.Elif(value != first):
                    m.d.sync += differs.eq(1)
            with m.If(self.begin):
                m.d.sync += differs.eq(0)
            with m.If(differs):
                m.d.comb += self.verdict.eq(ImageCode.EPOCH)
        super()._judge(m, row)

    def _unrelated(self, m: Module, row: Value, flags: Mapping[str, Value]) -> Value:
        if self.count > 1:
            position, value = self._place_of("pacer_rate")
            counts = flags["pacer_enable"] & ~flags["overcommitted"]
            with m.If(self.word_stb & (row == position) & counts & (value < self.limit)):
                m.d.sync += self.limit.eq(value)
            with m.If(self.begin):
                m.d.sync += self.limit.eq(self.limit.init)
        return Const(0)


class TenantChecker(SectionChecker):
    """Checker of TENANT sections, of which an image has one for each tag.

    Beside the map's rules, each tenant has to keep these, or ``verdict`` is FIELD:

    - a tenant that is not enabled has a committed rate of 0;
    - an enabled tenant has committed rate <= peak rate and committed depth <= peak depth;
    - the depth of a bucket is at least l_max, or 0 where its rate is 0: a bucket without a rate
      would be filled once, with what nobody promised;
    - without a peak rate the tenant is work conserving, as nothing else would serve it.

    The committed rates of all tags together are at most ``config.admissible_rate``, or ``verdict``
    is OVERSUBSCRIBED, also if another rule is broken. With several channels they are as well at
    most 0.85 of ``limit``, the slowest channel's paced rate. That is the exact rate rounded down,
    so that they may be up to 0.85 of the next one.

    See :class:`SectionChecker`.
    """

    kind = SectionKind.TENANT
    flags = ("enable", "work_conserving")

    limit: Signal

    def __init__(self, config: ChannelConfig, registers: RegisterMap) -> None:
        several = registers.channels > 1
        super().__init__(config, registers, {"limit": In(config.rate_width)} if several else {})

    def _judge(self, m: Module, row: Value) -> None:
        super()._judge(m, row)
        position, value = self._place_of("committed_rate")
        committed = Signal(range(self.count << self.config.rate_width))
        with m.If(self.word_stb & (row == position)):
            m.d.sync += committed.eq(committed + value)
        with m.If(self.begin):
            m.d.sync += committed.eq(0)
        with m.If(committed > self.config.admissible_rate):
            m.d.comb += self.verdict.eq(ImageCode.OVERSUBSCRIBED)
        if self.registers.channels > 1:
            # The checksum comes between the last value and the verdict: there is a clock for each
            # product.
            share = ADMISSIBLE_SHARE
            taken = Signal(range(share.denominator * self.count << self.config.rate_width))
            given = Signal(range(share.numerator * ((1 << self.config.rate_width) + 1)))
            m.d.sync += [
                taken.eq(committed * share.denominator),
                given.eq((self.limit + 1) * share.numerator),
            ]
            with m.If(taken >= given):
                m.d.comb += self.verdict.eq(ImageCode.OVERSUBSCRIBED)

    def _unrelated(self, m: Module, row: Value, flags: Mapping[str, Value]) -> Value:
        enable, work_conserving = flags["enable"], flags["work_conserving"]
        rate = Signal(self.config.rate_width)
        depth = Signal(self.config.depth_width)
        wrong = Signal()

        # A bucket's rate comes before its depth, and the committed bucket before the peak bucket:
        # ``rate`` and ``depth`` are those that came last.
        with m.Switch(row):
            position, value = self._place_of("committed_rate")
            with m.Case(position):
                m.d.comb += wrong.eq(~enable & (value != 0))
                with m.If(self.word_stb):
                    m.d.sync += [rate.eq(value), depth.eq(0)]
            position, value = self._place_of("peak_rate")
            with m.Case(position):
                unserved = (value == 0) & ~work_conserving
                m.d.comb += wrong.eq(enable & ((value < rate) | unserved))
                with m.If(self.word_stb):
                    m.d.sync += rate.eq(value)
            for bucket in ("committed", "peak"):
                position, value = self._place_of(f"{bucket}_depth")
                with m.Case(position):
                    unfit = Mux(rate == 0, value != 0, value < self.config.l_max)
                    m.d.comb += wrong.eq(enable & ((value < depth) | unfit))
                    with m.If(self.word_stb):
                        m.d.sync += depth.eq(value)
        return wrong
