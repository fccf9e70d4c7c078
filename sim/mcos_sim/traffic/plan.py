"""The plan of a run's traffic: what each tenant of a contract asks for, and who says so."""

import dataclasses
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

from mcos_policy.compiler import Compiled
from mcos_policy.contract import Tenant
from mcos_policy.diagnostics import ContractError, Diagnostic, printable
from mcos_policy.origin import Origin, shorten
from mcos_policy.quantize import clocks
from mcos_policy.source import parse_source, read_source
from mcos_sim.errors import UserError
from mcos_sim.traffic.pattern import AnyPattern, Backlogged, Idle, Steady, TraceFile
from mcos_sim.traffic.table import BEGIN, NOUN, OPTION, TableReader, as_table

__all__ = [
    "Asking",
    "Plan",
    "plan_traffic",
]


STAGGER = 32
"""Clocks by which a tenant without a ``start`` begins after the one before it.

One request enters the channel in a clock. Tenants that fill their queues of 16 at once would keep
the others out for as long as that takes, once, in the first clocks.
"""

_FEW = 4
"""Tenants that are named though all of them ask for the same."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Asking:
    """What one tenant asks for.

    Parameters
    ----------
    tenant : Tenant
        The tenant, as the contract has it.
    tag : int
        Its tag.
    pattern : AnyPattern
        What it asks for.
    start : Fraction
        Clocks from the beginning of the run until it begins.
    folder : Path
        Folder that names of trace files are relative to.
    """

    tenant: Tenant
    tag: int
    pattern: AnyPattern
    start: Fraction
    folder: Path


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """What every tenant of a contract asks for.

    Parameters
    ----------
    kind : str
        ``"file"``, ``"options"`` or ``"default"``: who says it.
    asking : tuple[Asking, ...]
        Tenants in the order of the contract.
    """

    kind: str
    asking: tuple[Asking, ...]

    @property
    def files(self) -> list[Path]:
        """Trace files that the plan reads."""
        return [
            each.folder / each.pattern.file
            for each in self.asking
            if isinstance(each.pattern, TraceFile)
        ]

    def sentence(self) -> str:
        """Who asks for what, in one line."""
        groups: dict[str, list[str]] = {}
        for each in self.asking:
            groups.setdefault(each.pattern.words, []).append(each.tenant.name)
        everybody = f"all {len(self.asking)} tenants" if len(self.asking) > _FEW else None
        told = "; ".join(
            f"{(len(groups) == 1 and everybody) or ', '.join(names)}: {words}"
            for words, names in groups.items()
        )
        by = {"file": "traffic file", "options": "traffic by options", "default": "default traffic"}
        nobody = all(not isinstance(each.pattern, Backlogged) for each in self.asking)
        more = "; no tenant is backlogged, so the channel may idle" if nobody else ""
        return f"{by[self.kind]}: {told}{more}"


def plan_traffic(
    compiled: Compiled, *, file: Path | None, options: Iterable[str], run_clocks: int
) -> Plan:
    """The plan of a run, from a traffic file and options; what neither says is the default.

    An option goes before the file's table of its tenant. A tenant of which nothing is said is as
    ``[traffic]`` says. Without that one with a ``latency_slo`` and a guarantee asks steadily at the
    guarantee, one longest request at a time, and any other is backlogged.

    Parameters
    ----------
    compiled : Compiled
        The contract.
    file : Path or None
        Traffic file.
    options : Iterable[str]
        ``NAME=PATTERN`` or ``NAME=PATTERN:key=value,key=value``.
    run_clocks : int
        Clocks of the run in which tenants may ask.

    Raises
    ------
    ContractError
        If the file or an option is at fault; it carries everything that was found.
    UserError
        If an option has not that form, or nobody asks for anything.
    """
    contract, config = compiled.contract, compiled.config
    found: list[Diagnostic] = []
    default: AnyPattern | None = None
    told: dict[str, AnyPattern] = {}
    folders: dict[str, Path] = {}
    if file is not None:
        source = read_source(file, noun=NOUN, begin=BEGIN)
        reader = TableReader(source, compiled, run_clocks)
        default, told = reader.read()
        found += reader.found
        folders = dict.fromkeys([*told, ""], file.parent)
    by_option: dict[str, AnyPattern] = {}
    for option in options:
        name, text = as_table(option)
        if name in by_option:
            raise UserError(f"{OPTION} must be given once for {name!r}, not twice; remove one")
        where = f"{OPTION} {shorten(printable(option))}"
        reader = TableReader(parse_source(text, where, noun=OPTION, begin=""), compiled, run_clocks)
        _, patterns = reader.read()
        by_option |= patterns
        # The text was made of the option, and nobody sees its lines.
        found += [dataclasses.replace(each, origin=Origin(name=where)) for each in reader.found]
    if found:
        raise ContractError(found)
    told |= by_option
    folders |= dict.fromkeys(by_option, Path())
    tags = contract.tags()
    asking = []
    for index, (position, tenant) in enumerate(contract.tenants.items()):
        pattern = told.get(tenant.name) or default or _default(tenant)
        start = getattr(pattern, "start", None)
        asking.append(
            Asking(
                tenant=tenant,
                tag=tags[position],
                pattern=pattern,
                start=Fraction(STAGGER * index) if start is None else clocks(start, config),
                folder=folders.get(tenant.name, folders.get("", Path())),
            )
        )
    if all(isinstance(each.pattern, Idle) for each in asking):
        raise UserError("a tenant must ask for something, and all are idle; give one a pattern")
    kind = "file" if file is not None else "options" if by_option else "default"
    return Plan(kind=kind, asking=tuple(asking))


def _default(tenant: Tenant) -> AnyPattern:
    promise = tenant.bandwidth
    if promise.latency_slo is not None and not promise.best_effort:
        return Steady()
    return Backlogged()
