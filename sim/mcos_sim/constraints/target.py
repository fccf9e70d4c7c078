"""What ``constraints/`` says of a target: its format, its device, its clock and its delays."""

import dataclasses
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mcos_sim.constraints.device import device_mistake
from mcos_sim.constraints.finding import Finding
from mcos_sim.errors import UserError

__all__ = [
    "CONSTRAINTS",
    "DATA",
    "Delay",
    "Target",
    "read_target",
    "targets",
]


_CHECKOUT = Path(__file__).parents[3]

CONSTRAINTS = _CHECKOUT / "constraints"
if not (_CHECKOUT / "pyproject.toml").is_file():
    CONSTRAINTS = Path(sys.prefix, "share", "mcos", "constraints")
"""Folder with one folder a target."""

DATA = "target.toml"
"""Name of the file with a target's data, in its folder."""

_SUFFIXES = ("xdc", "sdc", "lpf")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Delay:
    """What the surroundings need of a period at some ports.

    Parameters
    ----------
    ports : str
        Names of the ports, with ``*`` for anything.
    input : float
        Part of the period that has passed when an input arrives.
    output : float
        Part of the period that an output leaves to the surroundings.
    """

    ports: str
    input: float
    output: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Target:
    """Data of a target.

    Parameters
    ----------
    name : str
        Name of its folder.
    file : Path
        The file with the data.
    suffix : str
        Format of its constraints: ``xdc`` or ``sdc``, or ``lpf``, which ``mcos verilog`` writes and
        which has none of what follows the device.
    title : str
        What it is, in one line.
    family, device : str or None
        Device that it is for, and its family; None if there is none.
    cores : Mapping[str, tuple[str, ...]]
        The arguments of ``mcos verilog`` for each constraint file of the folder.
    uncertainty : float
        Part of the period that the clock may be early.
    units : bool
        Whether the constraints state their units.
    hold_at_ports : bool
        Whether hold times are checked from inputs and to outputs.
    delays : tuple[Delay, ...]
        Delays at ports, the first that names a port.
    """

    name: str
    file: Path
    suffix: str
    title: str
    family: str | None
    device: str | None
    cores: Mapping[str, tuple[str, ...]]
    uncertainty: float = 0
    units: bool = False
    hold_at_ports: bool = True
    delays: tuple[Delay, ...] = ()

    def check(self) -> list[Finding]:
        """What is wrong with the device."""
        if self.family is None or self.device is None:
            return []
        mistake = device_mistake(self.family, self.device)
        if mistake is None:
            return []
        key = "family" if mistake.startswith("family") else "device"
        lines = self.file.read_text(encoding="utf-8").splitlines()
        line = next(i for i, text in enumerate(lines, 1) if text.split("=")[0].strip() == key)
        return [Finding(file=self.file, line=line, rule="device", text=mistake)]


def targets(folder: Path | None = None) -> list[str]:
    """Names of the targets with data, in order."""
    return sorted(path.parent.name for path in (folder or CONSTRAINTS).glob(f"*/{DATA}"))


def read_target(name: str, folder: Path | None = None) -> Target:
    """Data of a target.

    Parameters
    ----------
    name : str
        Its name.
    folder : Path or None
        Folder of the targets; None for :data:`CONSTRAINTS`.

    Raises
    ------
    UserError
        If there is no such target, or its data cannot be used.
    """
    known = targets(folder)
    if name not in known:
        raise UserError(
            f"target must be one of {', '.join(known) or 'none'}, not {name!r}; choose one"
        )
    file = (folder or CONSTRAINTS) / name / DATA
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
        return _target(name, file, table)
    except (AttributeError, KeyError, OSError, TypeError, ValueError) as error:
        raise UserError(
            f"{file} must be the data of a target, as docs/boards.md has it, not this ({error})"
        ) from None


def _target(name: str, file: Path, table: Mapping[str, Any]) -> Target:
    suffix = table["format"]
    if suffix not in _SUFFIXES:
        raise ValueError(f"format must be one of {', '.join(_SUFFIXES)}, not {suffix!r}")
    more = {}
    if suffix != "lpf":
        more = {key: table[key] for key in ("uncertainty", "units", "hold_at_ports")}
        more["delays"] = tuple(Delay(**row) for row in table["delays"])
    for each in more.get("delays", ()):
        for part in (each.input, each.output):
            if not 0 <= part < 1:
                raise ValueError(f"a delay must be a part of the period, under 1, not {part}")
    return Target(
        name=name,
        file=file,
        suffix=suffix,
        title=table["title"],
        family=table.get("family"),
        device=table.get("device"),
        cores={each["file"]: tuple(each["verilog"]) for each in table["cores"]},
        **more,
    )
