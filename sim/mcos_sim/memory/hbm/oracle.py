"""Cases of another simulator, to be met tick by tick."""

import csv
import dataclasses
import io
import re
import reprlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mcos_sim.errors import UserError
from mcos_sim.inputs import read_whole
from mcos_sim.memory.hbm.constraint import Command
from mcos_sim.memory.hbm.policy import Policy, Refresh, Scheduler
from mcos_sim.memory.hbm.preset import Preset
from mcos_sim.memory.hbm.serve_requests import BURST, Served, serve

__all__ = [
    "Case",
    "Outcome",
    "check",
    "read_cases",
]


_NAMES = {
    "ACT": Command.ACT,
    "PREpb": Command.PREPB,
    "PREab": Command.PREAB,
    "RD": Command.RD,
    "WR": Command.WR,
    "REFab": Command.REFAB,
    "REFpb": Command.REFPB,
}

_CLASSES = "HMC"

_INTEGER = re.compile(r"-?[0-9]{1,20}")

_MOST_BYTES = 1 << 28

_MOST_TICK = 2**32 - 1
"""Largest tick of a case, 1.3 s of memory time: what is beyond it takes minutes to serve."""

_SUMMARY = ("case", "scheduler", "refresh")
_TRACE = ("arrival_tick", "op", "pc", "sid", "bg", "bank", "row")
_REQUESTS = ("accept_tick", "first_cmd_tick", "class", "col_cmd_tick", "complete_tick")
_COMMANDS = ("tick", "cmd", "pc", "sid", "bg", "bank", "req_id")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """A trace, and what the other simulator made of it.

    Parameters
    ----------
    name : str
        Its name.
    policy : Policy
        The controller that it was run with.
    bursts : numpy.ndarray
        Shape (requests,), dtype :data:`mcos_sim.memory.hbm.serve_requests.BURST`.
    requests : numpy.ndarray
        Shape (requests, 5): ticks of acceptance and of the first command, class, ticks of the
        column command and of the completion.
    commands : numpy.ndarray
        Shape (commands, 4): tick, command, bank and request, -1 for a refresh.
    """

    name: str
    policy: Policy
    bursts: np.ndarray
    requests: np.ndarray
    commands: np.ndarray


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a case went.

    Parameters
    ----------
    commands, requests : int
        How many there are.
    difference : str or None
        The first thing that differs, in words; None where all is equal.
    """

    commands: int
    requests: int
    difference: str | None


def read_cases(directory: Path, preset: Preset) -> Iterator[Case]:
    """The cases of a folder, in the order of its ``summary.csv``.

    Raises
    ------
    UserError
        If a file is missing, has not the columns or the values it must have, or names no case.
    """
    found = list(_rows(directory / "summary.csv", _SUMMARY))
    if not found:
        raise UserError(
            f"{directory / 'summary.csv'}:1: must name at least one case below its columns"
        )
    for line, row in found:
        name = row["case"]
        if name != Path(name).name:
            raise UserError(
                f"{directory / 'summary.csv'}:{line}: case must be a name in this folder, "
                f"not {reprlib.repr(name)}"
            )
        policy = Policy(
            scheduler=_one_of(Scheduler, row["scheduler"], directory / "summary.csv", line),
            refresh=_one_of(Refresh, row["refresh"], directory / "summary.csv", line),
            refresh_blocks_queues=True,
        )
        yield Case(
            name=name,
            policy=policy,
            bursts=_bursts(directory / f"{name}_trace.csv", preset),
            requests=_requests(directory / f"{name}_req.csv"),
            commands=_commands(directory / f"{name}_cmd.csv", preset),
        )


def check(case: Case, preset: Preset) -> Outcome:
    """Serve a case's trace and compare every command and every request."""
    served = serve(case.bursts, preset, case.policy, keep_log=True)
    return Outcome(
        commands=len(case.commands),
        requests=len(case.requests),
        difference=_difference(case, served),
    )


def _difference(case: Case, served: Served) -> str | None:
    ours = np.stack(
        [served.accepted, served.first, served.classes, served.column, served.completed], axis=1
    )
    for what, found, wanted in (
        ("command", served.log, case.commands),
        ("request", ours, case.requests),
    ):
        shared = min(len(found), len(wanted))
        unlike = np.flatnonzero((found[:shared] != wanted[:shared]).any(axis=1))
        if len(unlike):
            k = int(unlike[0])
            return f"{what} {k} must be {_told(what, wanted[k])}, not {_told(what, found[k])}"
        if len(found) != len(wanted):
            return f"there must be {len(wanted)} {what}s, not {len(found)}"
    return None


def _told(what: str, row: np.ndarray) -> str:
    """A row for people."""
    values = [int(each) for each in row]
    if what == "command":
        tick, command, bank, number = values
        whose = "a refresh" if number < 0 else f"request {number}"
        return f"{Command(command).name} to bank {bank} for {whose} in tick {tick}"
    accepted, first, kind, column, completed = values
    return (
        f"{_CLASSES[kind]}, accepted in {accepted}, first command in {first}, "
        f"column command in {column}, complete in {completed}"
    )


def _bursts(path: Path, preset: Preset) -> np.ndarray:
    rows = list(_rows(path, _TRACE))
    bursts = np.zeros(len(rows), dtype=BURST)
    for k, (line, row) in enumerate(rows):
        if row["op"] not in ("R", "W"):
            raise UserError(f"{path}:{line}: op must be R or W, not {reprlib.repr(row['op'])}")
        arrival = _number(row, "arrival_tick", path, line)
        number = _number(row, "row", path, line, most=preset.rows - 1)
        bursts[k] = (arrival, _bank(row, preset, path, line), number, row["op"] == "W")
    return bursts


def _requests(path: Path) -> np.ndarray:
    found = []
    for line, row in _rows(path, _REQUESTS):
        if row["class"] not in tuple(_CLASSES):
            raise UserError(
                f"{path}:{line}: class must be H, M or C, not {reprlib.repr(row['class'])}"
            )
        kind = {**row, "class": str(_CLASSES.index(row["class"]))}
        found.append([_number(kind, name, path, line) for name in _REQUESTS])
    return np.array(found, dtype=np.int64).reshape(-1, len(_REQUESTS))


def _commands(path: Path, preset: Preset) -> np.ndarray:
    found = []
    for line, row in _rows(path, _COMMANDS):
        if row["cmd"] not in _NAMES:
            known, shown = ", ".join(_NAMES), reprlib.repr(row["cmd"])
            raise UserError(f"{path}:{line}: cmd must be one of {known}, not {shown}")
        tick = _number(row, "tick", path, line)
        number = _number(row, "req_id", path, line, least=-1)
        bank = _bank(row, preset, path, line)
        found.append([tick, _NAMES[row["cmd"]], bank, number])
    return np.array(found, dtype=np.int64).reshape(-1, 4)


def _bank(row: dict[str, str], preset: Preset, path: Path, line: int) -> int:
    """The bank's number in its channel; -1 stands for all of a level."""
    number = 0
    for name, count in (
        ("pc", preset.pseudo_channels),
        ("sid", preset.stack_ids),
        ("bg", preset.bank_groups),
        ("bank", preset.banks),
    ):
        value = _number(row, name, path, line, least=-1, most=count - 1)
        number = number * count + max(value, 0)
    return number


def _number(
    row: dict[str, str], name: str, path: Path, line: int, *, least: int = 0, most: int = _MOST_TICK
) -> int:
    """A whole number in a range."""
    text = row[name].strip()
    if not _INTEGER.fullmatch(text) or not least <= int(text) <= most:
        shown = reprlib.repr(text)
        raise UserError(f"{path}:{line}: {name} must be an integer in {least}..{most}, not {shown}")
    return int(text)


def _one_of(kind, text: str, path: Path, line: int):
    try:
        return kind(text)
    except ValueError:
        name, known, shown = kind.__name__.lower(), ", ".join(kind), reprlib.repr(text)
        raise UserError(f"{path}:{line}: {name} must be one of {known}, not {shown}") from None


def _rows(path: Path, names: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows of a file with their lines."""
    try:
        text = read_whole(path, most=_MOST_BYTES).decode("utf-8-sig")
        with io.StringIO(text, newline="") as file:
            reader = csv.DictReader(file, strict=True)
            missing = [name for name in names if name not in (reader.fieldnames or ())]
            if missing:
                raise UserError(f"{path}:1: must have a column {missing[0]}, and has not")
            for row in reader:
                if None in row.values() or None in row:
                    raise UserError(
                        f"{path}:{reader.line_num}: must have as many values as the first line "
                        "has columns"
                    )
                yield reader.line_num, row
    except csv.Error as error:
        raise UserError(f"{path} must be a file of an oracle case, not this ({error})") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise UserError(f"{path} must be a file of an oracle case, not this ({reason})") from None
