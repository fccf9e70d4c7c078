"""Exports of a register map: SystemRDL, a C header and a Markdown page.

SystemRDL is ours; the other two come from it through systemrdl-compiler and PeakRDL, so a map that
exports has also been read and accepted by a compiler that is not ours. Every text says what it was
generated from and how to generate it again, and the same map gives the same bytes.

``python -m mcos_hw.registers.export FILE...`` writes the map of the default sizes; the suffix of
each file, ``.rdl``, ``.h`` or ``.md``, says which export it gets.
"""

import argparse
import dataclasses
import enum
import hashlib
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from peakrdl_cheader.c_standards import CStandard
from peakrdl_cheader.exporter import CHeaderExporter
from peakrdl_markdown import MarkdownExporter
from systemrdl import RDLCompiler
from systemrdl.node import AddrmapNode, Node

from mcos_hw.config import ChannelConfig
from mcos_hw.registers.channel_map import channel_map
from mcos_hw.registers.declaration import Access, Field, Register, RegisterFile, RegisterMap
from mcos_hw.registers.image import IMAGE_MAGIC, IMAGE_VERSION, HeaderWord

__all__ = [
    "c_header",
    "c_name",
    "main",
    "markdown",
    "systemrdl",
]


RESERVED = """
abstract accesstype addressingtype addrmap alias all alternate bit boolean bothedge byte compact
component componentwidth constraint default encode enum external false field fullalign hw inside
int internal level longint mem na negedge nonsticky number onreadtype onwritetype posedge
precedencetype property r rclr real ref reg regalign regfile rset ruser rw rw1 shortint
shortreal signal signed string struct sw this true type unsigned w w1 wclr within with woclr
woset wot wr wset wuser wzc wzs wzt
"""
"""Keywords and reserved words of SystemRDL 2.0, as systemrdl-compiler tells them apart."""

_ONE_MAP = "include one of them in each source file"

ACCESS_SENTENCES = {
    Access.READ: "Read by software, driven by hardware.",
    Access.WRITE: "Written by software as an event; reads as zero.",
    Access.IMAGE: "Changed only by committing an image; reads back the live value.",
}


def systemrdl(registers: RegisterMap) -> str:
    """The map as SystemRDL 2.0.

    A name that SystemRDL reserves is written as an escaped identifier, ``\\level``, which reads
    back as the same name.

    Parameters
    ----------
    registers : RegisterMap
        The map.

    Returns
    -------
    str
        One ``addrmap`` of the map's name.
    """
    lines = [
        *(f"// {line}" for line in _origin(registers)),
        "",
        f"addrmap {_identifier(registers.name)} {{",
        f"    name = {_string(registers.name)};",
        f"    desc = {_string(registers.description)};",
        "    default regwidth = 32;",
        "    default accesswidth = 32;",
    ]
    for codes in _codes(registers):
        lines += ["", *(f"    {line}" for line in _enum_lines(codes))]
    for register in registers.registers:
        lines += ["", *(f"    {line}" for line in _register_lines(register))]
    if registers.file is not None:
        lines += ["", *(f"    {line}" for line in _file_lines(registers.file))]
    lines += ["};", ""]
    return "\n".join(lines)


def c_header(registers: RegisterMap, *, name: str) -> str:
    """The map as a C header whose every name begins with ``name``.

    ``<NAME>_MAP_HASH`` is the number that the register ``MAP_HASH`` must read,
    ``<NAME>__<REGISTER>_offset`` the byte address of a register, ``_count`` how many elements an
    array has, ``_stride`` the bytes between the parts of a register file, ``_word`` what a
    register that says what was built must read, and ``<NAME>__<REGISTER>__<FIELD>__<CODE>`` the
    value of each code of a coded field.
    ``<NAME>__MAP_bytes`` is what the whole map takes; with a guard it is there ``MAP_windows``
    times. ``<NAME>_IMAGE__<WORD>`` is the place of a word in an image's header. ``<name>_is_core``
    compares the registers that say what was built with what they must read; ``<name>_takes``
    compares the header of an image with the same. The rest is PeakRDL-cheader's: a structure
    ``<name>_t`` and each field's mask ``_bm``, position ``_bp``, width ``_bw`` and reset value
    ``_reset``.

    Members of the structure are volatile, so that a compiler neither repeats nor drops an access.
    The structure is not packed: every member is aligned by itself, and compilers may split an
    access to a packed one into bytes, which the registers refuse. Its size and the offset of each
    member are checked when the header is compiled.

    Parameters
    ----------
    registers : RegisterMap
        The map.
    name : str
        What its names begin with, lower case; :func:`c_name` for a channel. Headers of different
        names can be included side by side, and two maps of one name stop the compiler.

    Returns
    -------
    str
        A header for C99 and C++98 and later, guarded against being included twice.
    """
    prefix = name.upper()
    given = f"{prefix}_HEADER_HASH"
    # Unlike that of the map it covers reset values: sizes and the clock.
    text = systemrdl(registers).encode()
    header_hash = f"0x{hashlib.sha256(text).hexdigest()[:8]}u"
    lines = [
        *(f"// {line}" for line in _origin(registers)),
        "",
        f"#ifndef {given}",
        f"#define {given} {header_hash}",
        f"#define {prefix}_MAP_HASH 0x{registers['MAP_HASH'].reset:08x}u",
        "",
        "#include <stddef.h>",
        "",
        "// Byte addresses of the registers; the elements of an array follow each other.",
        *(
            f"#define {prefix}__{each.name}_offset 0x{each.offset:04x}u"
            for each in registers.registers
        ),
        f"#define {prefix}__MAP_bytes 0x{1 << registers.map_width:04x}u",
        *([f"#define {prefix}__MAP_windows {registers.windows}"] if registers.windows > 1 else []),
        "",
        "// Elements of the arrays.",
        *(
            f"#define {prefix}__{each.name}_count {each.count}"
            for each in registers.registers
            if each.count > 1
        ),
        *_file_macros(prefix, registers.file),
        "",
        "// What the registers that say what was built must read.",
        *(f"#define {prefix}__{each}_word 0x{word:08x}u" for each, word in _built(registers)),
        "",
        "// Codes of fields.",
    ]
    for register in registers.registers:
        for field in register.fields:
            for code in field.values or ():
                macro = f"{prefix}__{register.name}__{field.name}__{code.name}".upper()
                lines.append(f"#define {macro} {code.value}")
    lines += [
        "",
        "// Words of an image's header.",
        *(f"#define {prefix}_IMAGE__{word.name} {word.value}" for word in HeaderWord),
        "",
    ]
    top = _elaborate(dataclasses.replace(registers, name=name))
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, f"{name}.h")
        CHeaderExporter().export(top, str(path), std=CStandard.gnu99)
        exported = path.read_text(encoding="utf-8")
    exported = exported.replace("struct __attribute__ ((__packed__))", "struct")
    lines += [
        re.sub(r"^    uint32_t ", "    volatile uint32_t ", exported, flags=re.MULTILINE),
        "// The compiler stops here if it lays the registers out in another way.",
        f"typedef char {name}_t_has_its_size[sizeof({name}_t) == {top.size:#x} ? 1 : -1];",
        *(_placed(name, each) for each in registers.registers),
        "",
        *_checks(registers, name),
        "",
        f"#elif {given} != {header_hash}",
        f'#error "{name}: the header of another core of this name is included already; {_ONE_MAP}"',
        f"#endif // {given}",
        "",
    ]
    return "\n".join(lines)


def _placed(name: str, register: Register) -> str:
    """A declaration that compiles if a member is where its register is."""
    place = f"offsetof({name}_t, {register.name}) == 0x{register.offset:04x}"
    return f"typedef char {name}_t_places_{register.name}[{place} ? 1 : -1];"


def _file_macros(prefix: str, file: RegisterFile | None) -> Iterator[str]:
    """Where the registers of each part are."""
    if file is None:
        return
    start = f"#define {prefix}__{file.name}"
    yield ""
    yield f"// Parts {file.name}: the first one, bytes to the next, and how many there are."
    yield f"{start}_offset 0x{file.offset:04x}u"
    yield f"{start}_stride 0x{file.stride:04x}u"
    yield f"{start}_count {file.count}"
    yield "// Byte addresses of the registers of a part, from its first byte on."
    yield from (f"{start}__{each.name}_offset 0x{each.offset:04x}u" for each in file.registers)


def _built(registers: RegisterMap) -> Iterator[tuple[str, int]]:
    """Registers that say what was built, and what they read."""
    for each in registers.registers:
        # A core without any option reads 0.
        if each.access is Access.READ and (each.reset or each.name == "OPTIONS"):
            yield each.name, each.reset


def _checks(registers: RegisterMap, name: str) -> Iterator[str]:
    """Functions that compare a core and an image with what the map says was built."""
    built = dict(_built(registers))
    constants = {"MAGIC": IMAGE_MAGIC, "VERSION": IMAGE_VERSION} | built
    words = [word for word in HeaderWord if word.name in constants]
    for title, function, argument, facts in (
        (
            "Whether the registers at an address are those of this core: its map, sizes and clock.",
            "is_core",
            f"const {name}_t *core",
            [f"core->{register} == 0x{value:08x}u" for register, value in built.items()],
        ),
        (
            "Whether an image, as words in memory, is for this core: its map, sizes and clock.",
            "takes",
            "const uint32_t *image",
            [f"image[{word.value}] == 0x{constants[word.name]:08x}u" for word in words],
        ),
    ):
        yield f"// {title}"
        yield f"static inline int {name}_{function}({argument})"
        yield "{"
        yield "    return " + "\n        && ".join(facts) + ";"
        yield "}"


def c_name(config: ChannelConfig) -> str:
    """What the names of a channel's C header begin with: it tells the number of tenants."""
    return f"{channel_map(config).name}_{config.tenants}"


def markdown(registers: RegisterMap) -> str:
    """The map as a Markdown page: an array as one register, the parts of a file as their first one.

    Parameters
    ----------
    registers : RegisterMap
        The map.

    Returns
    -------
    str
        A page whose heading is the map's name.
    """
    head = "\n".join([f"# Registers of {registers.name}", "", *_origin(registers), "", ""])
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, f"{registers.name}.md")
        MarkdownExporter().export(_elaborate(_first_part(registers)), str(path))
        return head + path.read_text(encoding="utf-8")


def _first_part(registers: RegisterMap) -> RegisterMap:
    """The map with the registers of the first part, which say where those of the others are."""
    file = registers.file
    if file is None:
        return registers
    more = tuple(
        dataclasses.replace(
            file.of(each.name, 0),
            name=f"{file.name}_{each.name}",
            description=(
                f"{each.description.removesuffix('.')}: of the first of {file.count} parts, "
                f"{file.stride:#x} bytes apart."
            ),
        )
        for each in file.registers
    )
    return dataclasses.replace(registers, registers=(*registers.registers, *more), file=None)


class _DenseAddrmap(AddrmapNode):
    """An address map that lists an array as one register, also to those who ask for its elements.

    PeakRDL-markdown asks for the elements and has no option; a page with 256 equal sections for
    one histogram is not read by anybody.
    """

    def children(self, unroll: bool = False, skip_not_present: bool = True) -> list[Node]:
        return super().children(unroll=False, skip_not_present=skip_not_present)


def _elaborate(registers: RegisterMap) -> _DenseAddrmap:
    compiler = RDLCompiler()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, f"{registers.name}.rdl")
        path.write_text(systemrdl(registers), encoding="utf-8")
        compiler.compile_file(str(path))
        root = compiler.elaborate()
    return _DenseAddrmap(root.top.inst, root.top.env, root)


def _origin(registers: RegisterMap) -> tuple[str, ...]:
    source = f"register map {registers.name}, hash 0x{registers.hash:08x}"
    return (
        f"Generated from the {source}; do not edit.",
        "Generate it again: `python -m mcos_hw.registers.export FILE` writes the default sizes,",
        "`mcos verilog` those of the core it writes.",
    )


def _identifier(name: str) -> str:
    return f"\\{name}" if name in RESERVED.split() else name


def _string(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _codes(registers: RegisterMap) -> list[type[enum.IntEnum]]:
    fields = (field for register in registers.registers for field in register.fields)
    return list(dict.fromkeys(field.values for field in fields if field.values is not None))


def _enum_lines(codes: type[enum.IntEnum]) -> Iterator[str]:
    yield f"enum {_identifier(codes.__name__)} {{"
    for code in codes:
        yield f"    {_identifier(code.name)} = {code.value};"
    yield "};"


def _register_lines(register: Register) -> Iterator[str]:
    elements = f"[{register.count}]" if register.count > 1 else ""
    yield "reg {"
    yield f"    name = {_string(register.description.removesuffix('.'))};"
    yield f"    desc = {_string(f'{register.description} {ACCESS_SENTENCES[register.access]}')};"
    for field in register.fields:
        yield "    field {"
        yield f"        name = {_string(field.description.removesuffix('.'))};"
        yield f"        desc = {_string(_field_description(field))};"
        for line in _access_lines(register.access, field):
            yield f"        {line}"
        if field.values is not None:
            yield f"        encode = {_identifier(field.values.__name__)};"
        bits = f"[{field.low + field.width - 1}:{field.low}]"
        yield f"    }} {_identifier(field.name)}{bits} = {field.width}'h{field.reset:x};"
    yield f"}} {_identifier(register.name)}{elements} @ 0x{register.offset:04x};"


def _file_lines(file: RegisterFile) -> Iterator[str]:
    yield "regfile {"
    yield f"    name = {_string(file.description.removesuffix('.'))};"
    yield f"    desc = {_string(file.description)};"
    for register in file.registers:
        yield ""
        yield from (f"    {line}" for line in _register_lines(register))
    yield f"}} {_identifier(file.name)}[{file.count}] @ 0x{file.offset:04x} += 0x{file.stride:04x};"


def _field_description(field: Field) -> str:
    sentences = [field.description]
    if field.unit:
        sentences.append(f"Unit: {field.unit}.")
    if field.values is not None:
        codes = ", ".join(f"{code.value} {code.name}" for code in field.values)
        sentences.append(f"Codes: {codes}.")
    return " ".join(sentences)


def _access_lines(access: Access, field: Field) -> tuple[str, ...]:
    if access is Access.READ:
        return "sw = r;", "hw = w;"
    if access is Access.IMAGE:
        return "sw = r;", "hw = rw;"
    # SystemRDL allows singlepulse on single bits only; a wider event is a strobe of the write.
    return "sw = w;", "hw = r;", "singlepulse;" if field.width == 1 else "swmod;"


def _default_header(registers: RegisterMap) -> str:
    return c_header(registers, name=c_name(ChannelConfig()))


EXPORTS = {".h": _default_header, ".md": markdown, ".rdl": systemrdl}


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the exports of the default sizes to the files named on the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m mcos_hw.registers.export",
        description="Write the register map of the default sizes.",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a .h, .md or .rdl")
    files = parser.parse_args(arguments).files
    for file in files:
        if file.suffix not in EXPORTS:
            parser.error(f"FILE must end in {', '.join(EXPORTS)}, not {str(file)!r}")
    for file in files:
        file.write_text(EXPORTS[file.suffix](channel_map(ChannelConfig())), encoding="utf-8")


if __name__ == "__main__":
    main()
