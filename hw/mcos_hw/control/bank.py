"""The register map as an AXI4-Lite subordinate."""

import itertools
from collections.abc import Collection, Mapping
from functools import reduce
from operator import or_
from typing import Protocol

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from mcos_hw.bus.axi4lite import Axi4LiteInterface, Axi4LiteSignature, Response
from mcos_hw.link.guard import GuardedWrite, guarded_write_signature
from mcos_hw.link.live import live_layout
from mcos_hw.link.readings import CounterRead, PageRead, page_clocks, page_read_signature
from mcos_hw.registers.declaration import Access, Register, RegisterFile, RegisterMap
from mcos_hw.registers.identification import ArbiterKind
from mcos_hw.registers.image import SectionKind

__all__ = [
    "RegisterBank",
    "Window",
    "event_signature",
    "identification",
    "image_window_signature",
    "register_layout",
    "window_signature",
]


WORD_WIDTH = 32

_ROWS_IN_STEP = 4
"""Tenants among which one step of reading the live configuration selects.

A row has some 170 bits. A wider step brings more wires to one place than a router finds there.
"""


def identification(registers: RegisterMap, *, arbiter: ArbiterKind) -> dict[str, int]:
    """Words of the map's registers that say what was built, by register name."""
    names = ["CORE", "CORE_VERSION", "MAP_HASH", "CAPABILITY", "LIMITS", "CLOCK", "OPTIONS"]
    if registers.file is not None:
        names += ["CHANNEL_PAGES", "UTILISATION_UNITS"]
    words = {name: registers[name].reset for name in names}
    return words | {"ARBITER": registers["ARBITER"].pack(kind=arbiter)}


def register_layout(register: Register) -> data.FlexibleLayout:
    """The word of a register, its fields by name."""
    return data.FlexibleLayout(
        WORD_WIDTH,
        {field.name: data.Field(field.width, field.low) for field in register.fields},
    )


class Window(Protocol):
    """How the bank reads an array: ``data`` is the word of ``index`` one clock before."""

    index: Signal
    data: Signal


def window_signature(register: Register) -> wiring.Signature:
    """:class:`Window` of an array."""
    return wiring.Signature({"index": Out(_index_width(register)), "data": In(WORD_WIDTH)})


def image_window_signature(registers: RegisterMap) -> wiring.Signature:
    """:class:`Window` of what an image sets of a channel and its tenants, if the map is paged.

    ``index`` is the low bits of the word address, as many as tell these registers apart.
    """
    image = [register for register in registers.registers if _of_channel(register)]
    words = (image[-1].offset + image[-1].size - image[0].offset) // 4
    return wiring.Signature({"index": Out(range(words)), "data": In(WORD_WIDTH)})


def event_signature(register: Register) -> wiring.Signature:
    """What a write becomes: ``stb`` for one clock, with the fields that were written."""
    fields = {field.name: Out(field.width) for field in register.fields}
    return wiring.Signature({"stb": Out(1), **fields})


class RegisterBank(wiring.Component):
    """AXI4-Lite subordinate of a register map.

    Read and write side work at the same time, each on one access at a time. A read is answered
    five clocks after its address at the earliest::

        clock    0        1        2        3        4        5
        araddr   A
        index             A
        data                       D(A)     D(A)
        captured                            D(A)     D(A)
        rows                       A[0:2]   A
        words                                        A
        rdata                                                 A

    Each step of the selection ends in a register, because the words come from all over the channel.
    Of a paged map the image is read as an array is, and there are no rows. A register of a page is
    read through ``page``, which takes some clocks more; then every read does.

    An address and the data of a write may come in either order; the write happens, and its event
    is seen, in the clock after the later one. Bits 1..0 of an address are ignored.

    Only a write of all four bytes of a WRITE register has an effect. Any other write of a register
    is answered with SLVERR, and an access where no register is with DECERR; both change nothing. A
    WRITE register reads as zero. Of a map in several address windows a guard has to let a write
    through, or it is answered with SLVERR as well.

    The bank stores no register. It reads the values that other blocks store, and tells them what
    software wrote.

    Parameters
    ----------
    registers : RegisterMap
        The map. Arrays must have a power of two of elements and be aligned to their size; IMAGE
        arrays must be there and have as many elements as there are tenants.
    constants : Mapping[str, int]
        Words of READ registers that never change, by register name.
    delayed : Collection[str]
        Names of READ registers that take clocks to be read: the bank waits at their index.

    If the map has a register file, its registers are in pages; those of the same name in front of
    them are that of the first page.

    Members
    -------
    s_axil : In(Axi4LiteSignature)
        The bus.
    values : In(StructLayout)
        Every other single READ register by lower-case name, as :func:`register_layout`, and every
        IMAGE register of a fabric.
    live : In(live_layout(registers))
        What the IMAGE registers of channel and tenants read as, if there are any and the map is not
        paged.
    image : Out(image_window_signature(registers))
        The same, of a paged map.
    reading : Out(CounterRead)
        The read of a delayed register, its address in words; only if there are some and the map
        has no pages.
    page : Out(PageRead)
        The read of a register of a page; only if there are pages.
    guard : Out(GuardedWrite)
        A write of a WRITE register, all four bytes; only if the map is in several windows.
    read_window : Out
        Through which window the last read went; only if there are several.
    <array> : Out(window_signature(register))
        One for every READ array that is in no page, by lower-case name.
    <event> : Out(event_signature(register))
        One for every WRITE register, by lower-case name.

    Raises
    ------
    ValueError
        If an array's length or offset is unfit, a WRITE register is an array, or a constant's
        name is not that of a single READ register.
    """

    s_axil: Axi4LiteInterface
    values: data.View
    live: data.View
    image: Window
    reading: CounterRead
    page: PageRead
    guard: GuardedWrite
    read_window: Signal

    def __init__(
        self,
        registers: RegisterMap,
        *,
        constants: Mapping[str, int],
        delayed: Collection[str] = (),
    ) -> None:
        self.registers = registers
        self.constants = dict(constants)
        self.delayed = frozenset(delayed)
        file = registers.file
        self._in_pages = frozenset(each.name for each in file.registers) if file else frozenset()
        singles = {}
        members = {}
        if registers.windows > 1:
            members["guard"] = Out(guarded_write_signature())
            members["read_window"] = Out(range(registers.windows))
        if file is not None:
            members["page"] = Out(page_read_signature(file, delayed=bool(delayed)))
        elif delayed:
            members["reading"] = Out(_reading_signature(registers))
        if registers.paged:
            members["image"] = Out(image_window_signature(registers))
        elif any(_of_channel(each) for each in registers.registers):
            members["live"] = In(live_layout(registers))
        for register in registers.registers:
            _require_decodable(register)
            name = register.name.lower()
            if register.name in self._in_pages:
                continue
            match register.access:
                case Access.IMAGE if _of_channel(register):
                    pass
                case Access.READ | Access.IMAGE if register.count > 1:
                    members[name] = Out(window_signature(register))
                case Access.READ | Access.IMAGE:
                    singles[register.name] = register_layout(register)
                case Access.WRITE:
                    members[name] = Out(event_signature(register))
        for name in constants:
            if name not in singles:
                raise ValueError(f"constants must name single READ registers, not {name!r}")
        values = {name.lower(): layout for name, layout in singles.items() if name not in constants}
        super().__init__(
            {
                "s_axil": In(Axi4LiteSignature(registers.address_width, WORD_WIDTH)),
                "values": In(data.StructLayout(values)),
                **members,
            }
        )

    def elaborate(self, platform):
        m = Module()
        self._elaborate_read(m)
        self._elaborate_write(m)
        return m

    def _elaborate_read(self, m: Module) -> None:
        bus = self.s_axil
        address = Signal(self.registers.map_width - 2)
        images = any(_of_channel(each) for each in self.registers.registers)
        paged = self.registers.paged
        row = self._row(m, address) if images and not paged else None

        # A memory's output is late in its clock: it is captured before anything is selected.
        captured = {}
        windows = [
            each.name.lower() for each in self.registers.registers if self._kind(each) == "array"
        ]
        for name in (*windows, *(["image"] if paged else [])):
            window: Window = getattr(self, name)
            captured[name] = Signal(WORD_WIDTH, name=f"captured_{name}")
            m.d.comb += window.index.eq(address)
            m.d.sync += captured[name].eq(window.data)

        # Only the word of the register's own kind is not zero.
        kinds = ("image", "array", "single", *(["page"] if self._in_pages else []))
        words = {kind: Signal(WORD_WIDTH, name=f"{kind}_word") for kind in kinds}
        response = Signal(Response)
        m.d.sync += [*(word.eq(0) for word in words.values()), response.eq(Response.DECERR)]
        with m.Switch(address):
            for register in self.registers.registers:
                with m.Case(self._pattern(register)):
                    m.d.sync += [
                        response.eq(Response.OKAY),
                        words[self._kind(register)].eq(self._readable(register, row, captured)),
                    ]
            for pattern in self._page_patterns().values():
                with m.Case(pattern):
                    m.d.sync += [response.eq(Response.OKAY), words["page"].eq(self.page.word)]
        if self.registers.file is not None:
            self._ask_page(m, self.registers.file, address)
        waits = self._wait(m, address)
        # An array's word has a clock to be there and one to be captured.
        pages = page_clocks(self.registers.file.count) - 2 if self.registers.file else 0
        steps = [*(f"page_{k}" for k in range(pages)), "row"]
        with m.FSM(name="read"):
            with m.State("idle"):
                m.d.comb += bus.arready.eq(1)
                with m.If(bus.arvalid):
                    m.d.sync += address.eq(bus.araddr[2 : self.registers.map_width])
                    if self.registers.windows > 1:
                        m.d.sync += self.read_window.eq(bus.araddr[self.registers.map_width :])
                    m.next = "fetch"
            with m.State("fetch"):
                m.next = steps[0]
                if self.delayed:
                    reading = self.page if self._in_pages else self.reading
                    m.d.comb += reading.asked.eq(waits)
                    with m.If(waits & ~reading.given):
                        m.next = "fetch"
            for step, following in itertools.pairwise(steps):
                with m.State(step):
                    m.next = following
            with m.State("row"):
                m.next = "word"
            with m.State("word"):
                m.next = "capture"
            with m.State("capture"):
                m.d.sync += [bus.rdata.eq(reduce(or_, words.values())), bus.rresp.eq(response)]
                m.next = "respond"
            with m.State("respond"):
                m.d.comb += bus.rvalid.eq(1)
                with m.If(bus.rready):
                    m.next = "idle"

    def _wait(self, m: Module, address: Value) -> Signal:
        """Whether ``address`` is that of a register whose word takes clocks to be there."""
        waits = Signal()
        if self.delayed:
            if not self._in_pages:
                m.d.comb += self.reading.address.eq(address)
            with m.Switch(address):
                for register in self.registers.registers:
                    if register.name in self.delayed:
                        with m.Case(self._pattern(register)):
                            m.d.comb += waits.eq(1)
                for name, pattern in self._page_patterns().items():
                    if name in self.delayed:
                        with m.Case(pattern):
                            m.d.comb += waits.eq(1)
        return waits

    def _ask_page(self, m: Module, file: RegisterFile, address: Value) -> None:
        """Say which word of which page an address names."""
        page = self.page
        low, high = len(page.index), len(page.index) + len(page.part)
        m.d.comb += page.index.eq(address[:low])
        with m.If(address[high:] == file.offset >> (2 + high)):
            m.d.comb += page.part.eq(address[low:high])

    def _row(self, m: Module, address: Value) -> data.View:
        """The live configuration of the tenant that an address names, two clocks later."""
        tenants = self.live.tenants
        layout = tenants.shape().elem_shape
        index = address[: exact_log2(len(tenants))]
        near, far = index[: exact_log2(_ROWS_IN_STEP)], index[exact_log2(_ROWS_IN_STEP) :]
        rows = []
        for first in range(0, len(tenants), _ROWS_IN_STEP):
            rows.append(Signal(layout.size, name=f"row_{first}"))
            group = [
                tenants[i].as_value()
                for i in range(first, min(first + _ROWS_IN_STEP, len(tenants)))
            ]
            m.d.sync += rows[-1].eq(Array(group)[near])
        row = data.View(layout, Signal(layout.size, name="row"))
        m.d.sync += row.as_value().eq(Array(rows)[far] if len(rows) > 1 else rows[0])
        return row

    def _elaborate_write(self, m: Module) -> None:
        bus = self.s_axil
        address = Signal(self.registers.map_width - 2)
        address_held = Signal()
        word = Signal(WORD_WIDTH)
        strobes = Signal(WORD_WIDTH // 8)
        word_held = Signal()
        guarded = self.registers.windows > 1
        m.d.comb += [bus.awready.eq(~address_held), bus.wready.eq(~word_held)]
        with m.If(bus.awvalid & bus.awready):
            m.d.sync += [
                address.eq(bus.awaddr[2 : self.registers.map_width]),
                address_held.eq(1),
            ]
            if guarded:
                m.d.sync += self.guard.window.eq(bus.awaddr[self.registers.map_width :])
        with m.If(bus.wvalid & bus.wready):
            m.d.sync += [word.eq(bus.wdata), strobes.eq(bus.wstrb), word_held.eq(1)]

        write = Signal()
        response = Signal(Response)
        m.d.comb += [
            write.eq(address_held & word_held & ~bus.bvalid),
            response.eq(Response.DECERR),
        ]
        with m.Switch(address):
            for register in self.registers.registers:
                with m.Case(self._pattern(register)):
                    m.d.comb += response.eq(Response.SLVERR)
                    if register.access is Access.WRITE:
                        with m.If(strobes.all()):
                            self._happen(m, register, write, response)
        if guarded:
            m.d.comb += self.guard.word.eq(word)
        for register in self.registers.registers:
            if register.access is Access.WRITE:
                event = getattr(self, register.name.lower())
                written = data.View(register_layout(register), word)
                for field in register.fields:
                    m.d.comb += getattr(event, field.name).eq(written[field.name])

        with m.If(write):
            m.d.sync += [
                address_held.eq(0),
                word_held.eq(0),
                bus.bvalid.eq(1),
                bus.bresp.eq(response),
            ]
        with m.If(bus.bvalid & bus.bready):
            m.d.sync += bus.bvalid.eq(0)

    def _happen(self, m: Module, register: Register, write: Value, response: Signal) -> None:
        """What a whole write of a WRITE register does, and how it is answered."""
        event = getattr(self, register.name.lower())
        if self.registers.windows == 1:
            m.d.comb += [response.eq(Response.OKAY), event.stb.eq(write)]
            return
        guard = self.guard
        m.d.comb += [
            guard.stb.eq(write),
            guard.takes_over.eq(register.name == "GUARD_TAKEOVER"),
            event.stb.eq(write & guard.allowed),
        ]
        with m.If(guard.allowed):
            m.d.comb += response.eq(Response.OKAY)

    def _pattern(self, register: Register) -> str:
        """The word addresses of a register, as a pattern for a Switch."""
        index_width = _index_width(register)
        prefix_width = self.registers.map_width - 2 - index_width
        prefix = register.offset >> (2 + index_width)
        return f"{prefix:0{prefix_width}b}" + "-" * index_width

    def _page_patterns(self) -> dict[str, str]:
        """The word addresses of each register of a page, in all pages, as patterns."""
        file = self.registers.file
        if file is None:
            return {}
        part_width, page_width = exact_log2(file.count), exact_log2(file.stride // 4)
        prefix_width = self.registers.map_width - 2 - part_width - page_width
        prefix = f"{file.offset >> (2 + part_width + page_width):0{prefix_width}b}"
        patterns = {}
        for register in file.registers:
            index_width = _index_width(register)
            place = f"{register.offset >> (2 + index_width):0{page_width - index_width}b}"
            patterns[register.name] = prefix + "-" * part_width + place + "-" * index_width
        return patterns

    def _kind(self, register: Register) -> str:
        """Where the bank finds a register: in the live image, a page, a window, or beside them."""
        if register.name in self._in_pages:
            return "page"
        if _of_channel(register):
            return "image"
        return "array" if register.count > 1 else "single"

    def _readable(
        self, register: Register, row: data.View | None, captured: Mapping[str, Signal]
    ) -> Value:
        """The word that a register, or an array's element in ``row`` or ``captured``, reads as.

        Without a ``row`` the image is captured, too.
        """
        if register.access is Access.WRITE:
            return Const(0, WORD_WIDTH)
        if register.name in self._in_pages:
            return self.page.word
        if _of_channel(register):
            if row is None:
                return captured["image"]
            return _packed(register, self.live.channel if register.count == 1 else row)
        if register.name in self.constants:
            return Const(self.constants[register.name], WORD_WIDTH)
        if register.count > 1:
            return captured[register.name.lower()]
        return self.values[register.name.lower()].as_value()


def _packed(register: Register, source: data.View) -> Value:
    """The register's word with its fields taken from ``source``."""
    parts = []
    end = 0
    for field in register.fields:
        parts += [Const(0, field.low - end), source[field.name]]
        end = field.low + field.width
    return Cat(parts)


def _reading_signature(registers: RegisterMap) -> wiring.Signature:
    """:class:`CounterRead` of any register of the map."""
    address_width = registers.map_width - 2
    return wiring.Signature({"asked": Out(1), "address": Out(address_width), "given": In(1)})


def _of_channel(register: Register) -> bool:
    """Whether an image sets it of a channel or of its tenants."""
    return register.section in (SectionKind.CHANNEL, SectionKind.TENANT)


def _index_width(register: Register) -> int:
    return (register.count - 1).bit_length()


def _require_decodable(register: Register) -> None:
    if register.count & (register.count - 1) or register.offset % register.size:
        raise ValueError(
            f"array {register.name!r} must have a power of two of elements and be aligned to its "
            f"size, not {register.count} elements at 0x{register.offset:x}"
        )
    if register.access is Access.WRITE and register.count > 1:
        raise ValueError(
            f"WRITE register {register.name!r} must be single, not an array of {register.count}"
        )
