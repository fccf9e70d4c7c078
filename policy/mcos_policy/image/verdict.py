"""What the hardware's loader says to an image, decided from its words alone."""

import dataclasses
import shlex
import struct
import zlib
from collections.abc import Mapping, Sequence

from mcos_hw.config import ADMISSIBLE_SHARE, ChannelConfig, FabricConfig
from mcos_hw.registers import Register, RegisterMap, channel_map, fabric_map
from mcos_hw.registers.declaration import PortLimits
from mcos_hw.registers.image import (
    ALL_CHANNELS,
    HEADER_WORDS,
    IMAGE_MAGIC,
    IMAGE_VERSION,
    OPTIONAL_SECTIONS,
    HeaderWord,
    ImageCode,
    Section,
    SectionKind,
)
from mcos_policy.hardware import option_words
from mcos_policy.interleave import broken_rule

__all__ = [
    "Refusal",
    "refusal",
    "verify",
]


_AGAIN = "compile the contract again"

_FIELD_CODES = {
    SectionKind.CHANNEL: ImageCode.FIELD,
    SectionKind.TENANT: ImageCode.FIELD,
    SectionKind.FABRIC: ImageCode.FABRIC,
    SectionKind.PORTS: ImageCode.PORTS,
}
"""What a value of each kind is refused with that is outside its field or breaks a rule."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why an image is refused.

    Parameters
    ----------
    code : ImageCode
        What the loader shows.
    text : str
        What the hardware wants, what the image has, and the way out.
    """

    code: ImageCode
    text: str


def verify(words: Sequence[int], config: ChannelConfig | FabricConfig) -> ImageCode:
    """What the hardware's loader says to an image, decided independently of how it was made.

    Parameters
    ----------
    words : Sequence[int]
        The image.
    config : ChannelConfig or FabricConfig
        Sizes of the hardware: of a channel by itself, or of a fabric.

    Returns
    -------
    ImageCode
        ``NONE`` for an image that can be committed.
    """
    refused = refusal(words, config)
    return ImageCode.NONE if refused is None else refused.code


def refusal(words: Sequence[int], config: ChannelConfig | FabricConfig) -> Refusal | None:
    """Why the hardware's loader refuses an image; None if it does not.

    A commit may be refused as NOT_DRAINED beside that, which depends on what is under way.

    The rules stand in the loader's order, and the first that is broken counts. Words are judged as
    they stream in, then the checksum, then whether all sections have come, then the values. The
    commit notices a missing word. Only a good image notices an extra one, which is supposed to come
    when the values have been checked.
    """
    try:
        if isinstance(config, FabricConfig):
            _judge(words, config.channel, fabric_map(config))
        else:
            _judge(words, config, channel_map(config))
    except _RefusedError as refused:
        return refused.refusal
    return None


class _RefusedError(Exception):
    """The loader refuses the image here."""

    def __init__(self, code: ImageCode, text: str) -> None:
        super().__init__(text)
        self.refusal = Refusal(code=code, text=text)


def _judge(words: Sequence[int], config: ChannelConfig, registers: RegisterMap) -> None:
    for place, word in zip(HeaderWord, words, strict=False):
        _judge_header(place, word, config, registers)
    length = words[HeaderWord.WORDS] if len(words) >= HEADER_WORDS else registers.image_length
    sections = _Sections(config, registers)
    for place in range(HEADER_WORDS, min(length - 1, len(words))):
        sections.take(place, words[place])
    if len(words) < length:
        raise _RefusedError(
            ImageCode.TRUNCATED,
            f"an image must have the {length} words that its header tells, not {len(words)}; "
            "load the whole image before it is committed",
        )
    checksum = zlib.crc32(struct.pack(f"<{length - 1}I", *words[: length - 1]))
    if checksum != words[length - 1]:
        raise _RefusedError(
            ImageCode.CRC,
            f"the checksum must be {checksum:#010x}, that of the words before it, "
            f"not {words[length - 1]:#010x}; copy the image again, and compile it if that stays",
        )
    sections.judge()
    if len(words) > length:
        raise _RefusedError(
            ImageCode.OVERLONG,
            f"an image must end after the {length} words that its header tells, "
            f"not {len(words) - length} later; load no word after the last",
        )


def _judge_header(
    place: HeaderWord, word: int, config: ChannelConfig, registers: RegisterMap
) -> None:
    match place:
        case HeaderWord.MAGIC if word != IMAGE_MAGIC:
            raise _RefusedError(
                ImageCode.MAGIC,
                f"word 0 of an image must be {IMAGE_MAGIC:#010x}, not {word:#010x}; "
                "load a file that mcos compile wrote, in little-endian words",
            )
        case HeaderWord.VERSION if word != IMAGE_VERSION:
            raise _RefusedError(
                ImageCode.VERSION,
                f"an image must be of format version {IMAGE_VERSION}, not {word}; {_AGAIN}",
            )
        case HeaderWord.CAPABILITY | HeaderWord.LIMITS if word != registers[place.name].reset:
            register = registers[place.name]
            theirs, ours = register.unpack(word), register.unpack(register.reset)
            told = [_sized(name, theirs[name], ours[name]) for name in ours]
            raise _RefusedError(
                ImageCode.SIZES,
                f"an image must be for the sizes of this hardware: {'; '.join(filter(None, told))}"
                f"; {_way_out(config)}",
            )
        case HeaderWord.CLOCK if word != config.clock_khz:
            raise _RefusedError(
                ImageCode.CLOCK,
                f"an image must be for this hardware's clock of {config.clock_khz / 1000:g} MHz, "
                f"not {word / 1000:g} MHz; {_way_out(config)}",
            )
        case HeaderWord.MAP_HASH if word != registers["MAP_HASH"].reset:
            raise _RefusedError(
                ImageCode.MAP_HASH,
                f"an image must be for this hardware's register map "
                f"{registers['MAP_HASH'].reset:#010x}, "
                f"not {word:#010x}; {_way_out(config)}",
            )
        case HeaderWord.WORDS if not HEADER_WORDS < word <= registers.image_length:
            raise _RefusedError(
                ImageCode.WORDS,
                f"an image for this hardware must have at most {registers.image_length} words, "
                f"and more than its header, not {word}; {_way_out(config)}",
            )


def _sized(name: str, theirs: int, ours: int) -> str:
    """What a size must be, if it is another."""
    return "" if theirs == ours else f"{name} {ours}, not {theirs}"


def _way_out(config: ChannelConfig) -> str:
    """How software gets an image for the hardware."""
    options = shlex.join(option_words(config))
    return f"compile the contract for this hardware: mcos compile CONTRACT {options}"


class _Sections:
    """The sections of an image as far as they have come."""

    def __init__(self, config: ChannelConfig, registers: RegisterMap) -> None:
        self.config = config
        self.registers = registers
        self.counts = registers.sections()
        self.values: dict[SectionKind, list[dict[str, int]]] = {kind: [] for kind in self.counts}
        """Fields of each section, also of the one that is open, by kind."""
        self.alike = False
        """The CHANNEL section is for all channels."""
        self.open: list[tuple[Register, int]] = []
        """Registers, and their elements, of the open section whose words have not come."""
        self.fields: dict[str, int] = {}
        self.kind = SectionKind.CHANNEL
        """Kind of the section that is open."""

    def take(self, place: int, word: int) -> None:
        """Take a word that is neither of the header nor the checksum."""
        if not self.open:
            self._begin(place, Section.unpack(word))
            return
        register, element = self.open.pop(0)
        if self.config.loader_checks and word & ~register.mask:
            raise _RefusedError(
                _FIELD_CODES[self.kind],
                f"word {place} must have no bit outside the fields {register.mask:#x} of "
                f"{register.name}, not {word:#x}; {_AGAIN}",
            )
        which = f"[{element}]" if register.each > 1 else ""
        self.fields |= {f"{name}{which}": value for name, value in register.unpack(word).items()}

    def _begin(self, place: int, section: Section) -> None:
        counts = self.counts
        if section.kind not in counts:
            known = " or ".join(f"{kind.value} ({kind.name})" for kind in counts)
            raise _RefusedError(
                ImageCode.SECTION_KIND,
                f"word {place} must begin a section of kind {known}, not {section.kind}; {_AGAIN}",
            )
        kind = SectionKind(section.kind)
        every = kind is SectionKind.CHANNEL and section.index == ALL_CHANNELS
        index = 0 if every else section.index
        told = f"the {kind.name} section at word {place} must"
        rows = self.registers.section_words(kind)
        came = self.counts[kind] if self.alike and kind is SectionKind.CHANNEL else 0
        came = came or len(self.values[kind])
        if index >= counts[kind]:
            raise _RefusedError(
                ImageCode.SECTION_INDEX,
                f"{told} have an index under {counts[kind]}, not {index}; {_way_out(self.config)}",
            )
        if section.words != len(rows):
            raise _RefusedError(
                ImageCode.SECTION_WORDS,
                f"{told} have {len(rows)} words, not {section.words}; {_AGAIN}",
            )
        if index < came:
            raise _RefusedError(
                ImageCode.REPEATED, f"{told} not have the index {index} again; {_AGAIN}"
            )
        if index > came:
            raise _RefusedError(
                ImageCode.MISSING, f"{told} have the index {came}, not {index}; {_AGAIN}"
            )
        self.alike |= every
        self.open = list(rows)
        self.kind = kind
        self.fields = {}
        self.values[kind].append(self.fields)

    def judge(self) -> None:
        """Judge what has come, now that the checksum has."""
        lacking = [
            f"{kind.name} {len(self.values[kind])}"
            for kind, count in self.counts.items()
            if len(self.values[kind]) < (1 if self.alike and kind is SectionKind.CHANNEL else count)
            and not (kind in OPTIONAL_SECTIONS and not self.values[kind])
        ]
        if lacking or self.open:
            which = " and ".join(lacking) or "the end of the last one"
            raise _RefusedError(
                ImageCode.MISSING,
                f"an image must have all sections of its hardware, not all but {which}; {_AGAIN}",
            )
        if not self.config.loader_checks:
            return
        tenants, channels = self.values[SectionKind.TENANT], self.values[SectionKind.CHANNEL]
        committed = sum(tenant["committed_rate"] for tenant in tenants)
        if committed > self.config.admissible_rate:
            raise _RefusedError(
                ImageCode.OVERSUBSCRIBED,
                f"committed rates must add up to at most {self.config.admissible_rate}, "
                f"not {committed} / 2**{self.config.rate_fraction} bytes per clock; "
                "lower guarantees",
            )
        if self.registers.channels > 1:
            self._judge_channels(channels, committed)
        for tag, tenant in enumerate(tenants):
            self._judge_values(SectionKind.TENANT, tenant, f" of tenant {tag}")
            rule = _broken_rule(tenant, self.config)
            if rule:
                raise _RefusedError(ImageCode.FIELD, f"tenant {tag} must have {rule}; {_AGAIN}")
        for index, channel in enumerate(channels):
            whose = f" of channel {index}" if len(channels) > 1 else ""
            self._judge_values(SectionKind.CHANNEL, channel, whose)
        self._judge_epochs(channels)
        for fabric in self.values.get(SectionKind.FABRIC, []):
            self._judge_values(SectionKind.FABRIC, fabric, " of the fabric")
            self._judge_interleave(fabric)
        ports = self.values.get(SectionKind.PORTS, [])
        for index, port in enumerate(ports):
            self._judge_values(SectionKind.PORTS, port, f" of port {index}")
            rule = _broken_row(port, self.registers.ports[index], self.config.tenants)
            if rule:
                raise _RefusedError(ImageCode.PORTS, f"port {index} must have {rule}; {_AGAIN}")
        self._judge_credits(ports)

    def _judge_credits(self, ports: Sequence[Mapping[str, int]]) -> None:
        """Hold the credits of each tenant in all ports against its queue."""
        depth = self.config.queue_depth
        for tenant in range(self.config.tenants):
            places = sum(port[f"places[{tenant}]"] for port in ports)
            if places > depth:
                raise _RefusedError(
                    ImageCode.CREDITS,
                    f"credits of tenant {tenant} must add up to at most its queue, {depth}, over "
                    f"all ports, not {places}; {_AGAIN}",
                )

    def _judge_channels(self, channels: Sequence[Mapping[str, int]], committed: int) -> None:
        """Hold the committed rates, which are those of every channel, against each one's pace.

        A paced rate is the exact one rounded down: the exact one is under the next.
        """
        for index, channel in enumerate(channels):
            counts = channel["pacer_enable"] and not channel["overcommitted"]
            if counts and committed >= ADMISSIBLE_SHARE * (channel["pacer_rate"] + 1):
                which = "every channel" if self.alike else f"channel {index}"
                raise _RefusedError(
                    ImageCode.OVERSUBSCRIBED,
                    f"committed rates must add up to at most {float(ADMISSIBLE_SHARE):g} of the "
                    f"paced rate {channel['pacer_rate']} of {which}, not {committed} / "
                    f"2**{self.config.rate_fraction} bytes per clock; lower guarantees",
                )

    def _judge_epochs(self, channels: Sequence[Mapping[str, int]]) -> None:
        """Hold the epoch length of each channel, which all share, against that of the first."""
        for index, channel in enumerate(channels):
            length, first = channel["epoch_clocks"], channels[0]["epoch_clocks"]
            if length != first:
                raise _RefusedError(
                    ImageCode.EPOCH,
                    f"channel {index} must have the epoch length of channel 0, {first} clocks, "
                    f"not {length}; {_AGAIN}",
                )

    def _judge_interleave(self, fabric: Mapping[str, int]) -> None:
        """Hold the interleave against what makes it a bijection."""
        width = (self.registers.channels - 1).bit_length()
        if not width:
            return
        rule = broken_rule(fabric["grain"], [fabric[f"mask_{j}"] for j in range(width)])
        if rule:
            raise _RefusedError(ImageCode.INTERLEAVE, f"the interleave must have {rule}; {_AGAIN}")

    def _judge_values(self, kind: SectionKind, values: Mapping[str, int], whose: str) -> None:
        """Hold values against what the map says of each field alone."""
        for register, element in self.registers.section_words(kind):
            which = f"[{element}]" if register.each > 1 else ""
            for field in register.fields:
                value = values[f"{field.name}{which}"]
                counts = not field.when or values[field.when]
                if counts and not field.least <= value <= field.largest:
                    raise _RefusedError(
                        _FIELD_CODES[kind],
                        f"{field.name}{which}{whose} must be in {field.least}..{field.largest}, "
                        f"not {value}; {_AGAIN}",
                    )


def _broken_row(port: Mapping[str, int], limits: PortLimits, tenants: int) -> str:
    """A rule that a row of a port's table breaks, with what it has; empty if none."""
    rows = sum(name.startswith("used") for name in port)
    for row in range(rows):
        used, tenant, first, last = (
            port[f"{name}[{row}]"] for name in ("used", "tenant", "first", "last")
        )
        if used and row >= limits.rows:
            return f"no used row from {limits.rows} on, not row {row}"
        if used and tenant >= tenants:
            return f"a tenant in 0..{tenants - 1} in row {row}, not {tenant}"
        if used and not first <= last <= limits.last_id:
            return f"rising IDs up to {limits.last_id} in row {row}, not {first} to {last}"
    return ""


def _broken_rule(tenant: Mapping[str, int], config: ChannelConfig) -> str:
    """A rule between fields that a tenant breaks, with the values that it has; empty if none."""
    rates = tenant["committed_rate"], tenant["peak_rate"]
    depths = tenant["committed_depth"], tenant["peak_depth"]
    if not tenant["enable"]:
        return f"no committed rate while it is off, not {rates[0]}" if rates[0] else ""
    for name, rate, depth in zip(("committed", "peak"), rates, depths, strict=True):
        if rate and depth < config.l_max:
            return f"a {name} depth of at least {config.l_max}, not {depth}"
        if not rate and depth:
            return f"no {name} depth without a {name} rate, not {depth}"
    if rates[0] > rates[1]:
        return f"a peak rate of at least its committed rate {rates[0]}, not {rates[1]}"
    if depths[0] > depths[1]:
        return f"a peak depth of at least its committed depth {depths[0]}, not {depths[1]}"
    if not rates[1] and not tenant["work_conserving"]:
        return "a peak rate or be work conserving, not neither"
    return ""
