"""What a register map is made of: fields, registers (or arrays of them), and the map."""

import dataclasses
import enum
import functools
import hashlib
import json
from collections.abc import Iterator
from typing import Any

from mcos_hw.registers.image import HEADER_WORDS, SectionKind

__all__ = [
    "Access",
    "Field",
    "PortLimits",
    "Register",
    "RegisterFile",
    "RegisterMap",
]


class Access(enum.Enum):
    """Who may change a register, and how."""

    READ = "read"
    """Read by software, driven by hardware."""
    WRITE = "write"
    """Written by software as an event; reads as zero."""
    IMAGE = "image"
    """Changed only by committing an image; reads back the live value."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a register.

    Parameters
    ----------
    name : str
        Unique among the map's image fields; a legal name in SystemRDL, C and Verilog.
    low : int
        Lowest bit.
    width : int
        Bits.
    description : str
        One sentence.
    unit : str
        Unit of the number, empty for flags and codes.
    reset : int
        Value after reset.
    values : type[enum.IntEnum] or None
        Meaning of each code, for coded fields.
    least, most : int, int or None
        Least and largest value that an image may give the field; None is the largest that fits.
    when : str
        Flag of the same section that has to be set for ``least`` and ``most`` to count; empty if
        they always do.
    """

    name: str
    width: int
    description: str
    low: int = 0
    unit: str = ""
    reset: int = 0
    values: type[enum.IntEnum] | None = None
    least: int = 0
    most: int | None = None
    when: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.low < 32 or not 1 <= self.width <= 32 - self.low:
            raise ValueError(
                f"field {self.name!r} must lie in bits 31..0, "
                f"not {self.low + self.width - 1}..{self.low}"
            )
        if self.reset >> self.width:
            raise ValueError(
                f"reset of field {self.name!r} must fit {self.width} bits, not {self.reset!r}"
            )
        if not 0 <= self.least <= self.largest < 1 << self.width:
            raise ValueError(
                f"least and most of field {self.name!r} must rise and fit {self.width} bits, "
                f"not {self.least!r} and {self.most!r}"
            )

    @property
    def largest(self) -> int:
        """Largest value that an image may give the field."""
        return (1 << self.width) - 1 if self.most is None else self.most

    @property
    def mask(self) -> int:
        """Bits of the register that belong to the field."""
        return ((1 << self.width) - 1) << self.low


@dataclasses.dataclass(frozen=True, kw_only=True)
class Register:
    """A 32-bit register, or a dense array of ``count`` of them.

    Parameters
    ----------
    name : str
        Upper-case name.
    offset : int
        Byte offset of (the first element of) the register.
    access : Access
        Who may change it.
    fields : tuple[Field, ...]
        Fields, lowest first, not overlapping.
    description : str
        One sentence.
    count : int
        Elements of the array, four bytes apart.
    paged : bool
        Whether the hardware keeps an image's array in memory, of which it reads an element at a
        time, and not in registers.
    part : SectionKind or None
        Kind of the image's section that sets it, if it is not CHANNEL for a single register and
        TENANT for an array.
    each : int
        Elements that one section sets.
    """

    name: str
    offset: int
    access: Access
    fields: tuple[Field, ...]
    description: str
    count: int = 1
    paged: bool = False
    part: SectionKind | None = None
    each: int = 1

    def __post_init__(self) -> None:
        if self.offset % 4:
            raise ValueError(f"offset of {self.name!r} must be a multiple of 4, not {self.offset}")
        if self.paged and self.section is not SectionKind.TENANT:
            raise ValueError(f"paged must be an array that an image sets, not {self.name!r}")
        if self.access is not Access.IMAGE and any(
            field.least or field.most is not None or field.when for field in self.fields
        ):
            raise ValueError(f"fields of {self.name!r} must have no rule, as no image sets them")
        used = 0
        for field in self.fields:
            if used & field.mask:
                raise ValueError(f"field {field.name!r} of {self.name!r} must not overlap another")
            used |= field.mask

    @property
    def section(self) -> SectionKind | None:
        """Kind of the image's section that sets the register; None if no image does."""
        if self.access is not Access.IMAGE:
            return None
        if self.part is not None:
            return self.part
        return SectionKind.CHANNEL if self.count == 1 else SectionKind.TENANT

    @property
    def size(self) -> int:
        """Bytes that the register occupies."""
        return 4 * self.count

    @property
    def mask(self) -> int:
        """Bits that belong to any field."""
        return sum(field.mask for field in self.fields)

    @property
    def reset(self) -> int:
        """The register's word after reset."""
        return self.pack(**{field.name: field.reset for field in self.fields})

    def pack(self, **values: int) -> int:
        """The register's word with the named fields set and the others zero.

        Raises
        ------
        KeyError
            If a name is not a field of the register.
        ValueError
            If a value does not fit its field.
        """
        fields = {field.name: field for field in self.fields}
        word = 0
        for name, value in values.items():
            field = fields[name]
            if not 0 <= value < 1 << field.width:
                raise ValueError(f"{self.name}.{name} must fit {field.width} bits, not {value!r}")
            word |= value << field.low
        return word

    def unpack(self, word: int) -> dict[str, int]:
        """The fields of a word, by name."""
        return {field.name: (word & field.mask) >> field.low for field in self.fields}


@dataclasses.dataclass(frozen=True, kw_only=True)
class RegisterFile:
    """Registers that are there once for each of several equal parts.

    Parameters
    ----------
    name : str
        Upper-case name.
    offset : int
        Byte offset of the registers of part 0; a multiple of ``count * stride``.
    stride : int
        Bytes from the registers of a part to those of the next; a power of two.
    count : int
        Parts; a power of two, and two at least.
    registers : tuple[Register, ...]
        Registers of one part by rising offset, at offsets from its first byte.
    description : str
        One sentence.
    """

    name: str
    offset: int
    stride: int
    count: int
    registers: tuple[Register, ...]
    description: str

    def __post_init__(self) -> None:
        for name, least in (("stride", 4), ("count", 2)):
            value = getattr(self, name)
            if value < least or value & (value - 1):
                raise ValueError(
                    f"{name} of {self.name!r} must be a power of two from {least} on, not {value!r}"
                )
        if self.offset % self.size:
            raise ValueError(
                f"offset of {self.name!r} must be a multiple of its size, {self.size}, "
                f"not {self.offset}"
            )
        last = self.registers[-1]
        if last.offset + last.size > self.stride:
            raise ValueError(
                f"registers of {self.name!r} must fit the stride, {self.stride} bytes, "
                f"not {last.offset + last.size}"
            )

    def __getitem__(self, name: str) -> Register:
        for register in self.registers:
            if register.name == name:
                return register
        raise KeyError(name)

    @property
    def size(self) -> int:
        """Bytes that all parts occupy."""
        return self.stride * self.count

    def of(self, name: str, part: int) -> Register:
        """A register of a part, at its offset in the map.

        Raises
        ------
        KeyError
            If no register of the file has the name.
        IndexError
            If there is no such part.
        """
        if not 0 <= part < self.count:
            raise IndexError(f"part of {self.name!r} must be below {self.count}, not {part!r}")
        register = self[name]
        offset = self.offset + part * self.stride + register.offset
        return dataclasses.replace(register, offset=offset)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PortLimits:
    """What the tenant table of a port can hold.

    Parameters
    ----------
    rows : int
        Rows that it has; 0 without a table.
    last_id : int
        Its highest ID.
    """

    rows: int
    last_id: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class RegisterMap:
    """An address map of registers.

    Parameters
    ----------
    name : str
        Name of the map, used in exports.
    description : str
        One paragraph.
    registers : tuple[Register, ...]
        Registers by rising offset, not overlapping.
    address_width : int
        Bits of a byte address that covers the map, in all its windows.
    windows : int
        Times that the map appears, one behind the other: a guard tells writers apart by that. A
        power of two.
    file : RegisterFile or None
        Registers behind these that are there once for each of several parts.
    ports : tuple[PortLimits, ...]
        Ports whose tables an image sets.
    """

    name: str
    description: str
    registers: tuple[Register, ...]
    address_width: int
    windows: int = 1
    file: RegisterFile | None = None
    ports: tuple[PortLimits, ...] = ()

    def __post_init__(self) -> None:
        counts = {register.count for register in self.section(SectionKind.TENANT)}
        if len(counts) > 1:
            raise ValueError(
                f"arrays that an image sets must have one length, not {sorted(counts)}"
            )
        end = 0
        seen = set()
        for register in self.registers:
            if register.name in seen:
                raise ValueError(
                    f"registers must have different names, not {register.name!r} twice"
                )
            seen.add(register.name)
            if register.offset < end:
                raise ValueError(
                    f"register {register.name!r} must start at 0x{end:x} or above, "
                    f"not 0x{register.offset:x}"
                )
            end = register.offset + register.size
        if self.file is not None:
            if self.file.offset < end:
                raise ValueError(
                    f"register file {self.file.name!r} must start at 0x{end:x} or above, "
                    f"not 0x{self.file.offset:x}"
                )
            end = self.file.offset + self.file.size
        if end > 1 << self.map_width:
            raise ValueError(f"the map must fit {self.map_width} address bits, not 0x{end:x}")

    def __getitem__(self, name: str) -> Register:
        for register in self.registers:
            if register.name == name:
                return register
        raise KeyError(name)

    @property
    def map_width(self) -> int:
        """Bits of a byte address that covers the map once."""
        return self.address_width - (self.windows - 1).bit_length()

    @property
    def paged(self) -> bool:
        """Whether any array is kept in memory."""
        return any(register.paged for register in self.registers)

    @property
    def channels(self) -> int:
        """Channels whose settings an image sets. What it sets of each reads as in channel 0."""
        return self.file.count if self.file else 1

    def section(self, kind: SectionKind) -> tuple[Register, ...]:
        """Registers that a section of an image sets, in the order of its words."""
        return tuple(register for register in self.registers if register.section is kind)

    def section_words(self, kind: SectionKind) -> tuple[tuple[Register, int], ...]:
        """What each word of the first section of a kind sets: a register, and its element."""
        registers = self.section(kind)
        return tuple((register, k) for register in registers for k in range(register.each))

    def section_fields(self, kind: SectionKind) -> tuple[Field, ...]:
        """Fields of these registers, which is what a section sets."""
        return tuple(field for register in self.section(kind) for field in register.fields)

    def sections(self) -> dict[SectionKind, int]:
        """How many sections of each kind an image has: one, or one for each element of the arrays.

        An image may have a single CHANNEL section for all channels instead of one for each. A kind
        of which no register is has none.
        """
        counts = {kind: [each.count for each in self.section(kind)] for kind in SectionKind}
        found = {kind: max(each) for kind, each in counts.items() if each}
        for kind, parts in (
            (SectionKind.CHANNEL, self.channels),
            (SectionKind.PORTS, len(self.ports)),
        ):
            if kind in found:
                found[kind] = parts
        return found

    def image_places(self) -> dict[int, tuple[Register, int]]:
        """Which image register, and which element of it, each word of an image holds.

        The sections stand as the compiler writes them: the channel, then tenant 0, tenant 1, and
        so on. Places of other words, which hold no register, are left out.
        """
        places = {}
        place = HEADER_WORDS
        for kind, count in self.sections().items():
            for index in range(count):
                for register, element in self.section_words(kind):
                    place += 1
                    places[place] = register, index * register.each + element
                place += 1
        return places

    def image_words(self) -> Iterator[tuple[Register, int]]:
        """Image registers in the order in which an image carries them: (register, index)."""
        yield from self.image_places().values()

    @property
    def image_length(self) -> int:
        """Words of the longest image: header, sections and checksum."""
        sections = ((1 + len(self.section_words(kind))) * n for kind, n in self.sections().items())
        return HEADER_WORDS + sum(sections) + 1

    @functools.cached_property
    def hash(self) -> int:
        """32-bit number that changes with any name, offset, field or width of the map."""
        rows: list[Any] = [_facts(register) for register in self.registers]
        if self.file is not None:
            file = self.file
            parts = [_facts(register) for register in file.registers]
            rows.append([file.name, file.offset, file.stride, file.count, parts])
        text = json.dumps([self.name, rows], separators=(",", ":"))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def _facts(register: Register) -> list[Any]:
    """What of a register counts in the hash of its map."""
    return [
        register.name,
        register.offset,
        register.count,
        register.access.value,
        [[field.name, field.low, field.width] for field in register.fields],
    ]
