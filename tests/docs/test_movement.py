"""Registers and C of docs/movement.md. Its first program runs in ``tests/sim/movement``."""

import re
import subprocess
from pathlib import Path

from mcos_hw.registers.movement import (
    LEASE_TICK_CLOCKS,
    MOVEMENT_PAGE_BYTES,
    MOVEMENT_PAGES,
    movement_map,
)

PAGE = (Path(__file__).parents[2] / "docs" / "movement.md").read_text(encoding="utf-8")


def test_the_registers_of_the_page_are_those_of_the_map():
    rows = re.findall(r"^\| (0x\w{3}) \| (\w+(?:, \w+)*) \|", PAGE, re.MULTILINE)
    registers = movement_map()
    named = []
    for first, names in rows:
        group = [registers[name] for name in names.split(", ")]
        assert group[0].offset == int(first, 16)
        named += group
    assert named == list(registers.registers)
    assert f"in {MOVEMENT_PAGES} pages of {MOVEMENT_PAGE_BYTES // 1024} KiB" in PAGE
    assert f"every {LEASE_TICK_CLOCKS} clocks" in PAGE


def test_the_c_program_compiles(tmp_path):
    (source,) = re.findall(r"```c\n(.*?)```", PAGE, re.DOTALL)
    (writes,) = re.findall(r"```python\n(from pathlib.*?)```", PAGE, re.DOTALL)
    exec(compile(writes, "movement.md", "exec"), {"folder": tmp_path})
    (tmp_path / "fetch.c").write_text(source, encoding="utf-8")
    strict = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic")
    subprocess.run(["cc", *strict, "-c", "fetch.c"], cwd=tmp_path, check=True)
