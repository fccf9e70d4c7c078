"""LPF, read by nextpnr with a netlist of nothing but ports."""

import json
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from mcos_sim.constraints.core import Core
from mcos_sim.constraints.device import FAMILIES
from mcos_sim.constraints.finding import Finding
from mcos_sim.synthesis.tool import PLACER, script

__all__ = [
    "has_nextpnr",
    "nextpnr_options",
    "read_by_nextpnr",
]


_PACKAGES = {"BG": "CABGA", "MG": "CSFBGA", "TG": "TQFP"}
"""What nextpnr calls packages, by the letters in the name of a device."""

_ERROR = re.compile(r"^ERROR: (.+)$", re.MULTILINE)


def has_nextpnr() -> bool:
    """Whether nextpnr for ECP5 is installed."""
    return Path(script(PLACER)).is_file()


def nextpnr_options(device: str) -> list[str]:
    """What nextpnr is told of a device, a name of ECP5 that was checked."""
    found = re.fullmatch(FAMILIES["ecp5"].form, device)
    assert found is not None, f"{device} was checked"
    kind, _, size = found["part"].removeprefix("LFE5U").lower().rpartition("-")
    letters, pins = found["package"][:2], found["package"][2:]
    return [
        f"--{kind}-{size[:-1]}k" if kind else f"--{size[:-1]}k",
        "--package",
        f"{_PACKAGES[letters]}{pins}",
        "--speed",
        found["grade"],
    ]


def read_by_nextpnr(path: Path, core: Core, device: str) -> list[Finding]:
    """What nextpnr says of an LPF file: whether each pin is one of the package, and is free.

    Parameters
    ----------
    path : Path
        The file.
    core : Core
        The Verilog.
    device : str
        Name of the device, one of ECP5.
    """
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "ports.json").write_text(_netlist(core), encoding="utf-8")
        (directory / "board.lpf").write_bytes(path.read_bytes())
        done = subprocess.run(
            [
                script(PLACER),
                *nextpnr_options(device),
                "--json",
                "ports.json",
                "--lpf",
                "board.lpf",
            ],
            cwd=directory,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
    if not done.returncode:
        return []
    errors = _ERROR.findall(done.stderr)
    # It says last that packing failed, for the reasons before.
    reasons = [each for each in errors if "design failed" not in each] or errors
    lines = path.read_text(encoding="utf-8").splitlines()
    return [
        Finding(file=path, line=_line(each, lines), rule="nextpnr", text=f"nextpnr says: {each}")
        for each in reasons or [f"exit code {done.returncode}, and no reason"]
    ]


def _line(text: str, lines: Sequence[str]) -> int:
    """The first line with something that a message quotes, a pin before a port."""
    for word in reversed(re.findall(r"'([^'$]+)", text)):
        for number, line in enumerate(lines, 1):
            if f'"{word}"' in line:
                return number
    return 1


def _netlist(core: Core) -> str:
    """Yosys's JSON of a module with the ports of a core and nothing in it."""
    ports, nets, free = {}, {}, 2  # 0 and 1 are constants
    for port in core.ports.values():
        bits = list(range(free, free + len(port.bits)))
        free += len(bits)
        ports[port.name] = {"direction": port.direction, "bits": bits}
        nets[port.name] = {"hide_name": 0, "bits": bits, "attributes": {}}
    module = {"attributes": {"top": "1"}, "ports": ports, "cells": {}, "netnames": nets}
    return json.dumps({"creator": "mcos", "modules": {core.top: module}})
