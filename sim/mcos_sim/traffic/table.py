"""Tables of a traffic file, and options that say the same of one tenant."""

import difflib
import json
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from mcos_policy.compiler import Compiled
from mcos_policy.contract import Tenant
from mcos_policy.diagnostics import Diagnostic, printable
from mcos_policy.document import Document
from mcos_policy.origin import KeyPath, shorten
from mcos_policy.reading import Reader
from mcos_policy.units import DURATION
from mcos_sim.errors import UserError
from mcos_sim.traffic.pattern import PATTERNS, AnyPattern, Idle, Steady, TraceFile

__all__ = [
    "BEGIN",
    "NOUN",
    "OPTION",
    "TableReader",
    "as_table",
]


OPTION = "--traffic-of"
"""The option that says the traffic of one tenant."""

NOUN = "a traffic file"
BEGIN = "a [traffic] table, or a [traffic.NAME] for a tenant"

_OPTION = re.compile(r"([^=]*)=([^:]*)(?::(.*))?", re.DOTALL)
_NUMBER = re.compile(r"[+-]?[0-9]{1,24}(\.[0-9]{1,24})?")


def as_table(option: str) -> tuple[str, str]:
    """Tenant of an option, and the text of the traffic file that says the same.

    Raises
    ------
    UserError
        If the option is not ``NAME=PATTERN`` or ``NAME=PATTERN:key=value,key=value``.
    """
    match = _OPTION.fullmatch(option)
    if match is None or not match[1] or not match[2] or printable(option) != option:
        raise UserError(
            f"{OPTION} must be NAME=PATTERN:key=value,key=value, not {shorten(printable(option))!r}"
            f'; for example {OPTION} "chat=closed:window=16,think=1us"'
        )
    name, pattern, rest = match.groups()
    lines = [f"[traffic.{_quoted(name)}]", f"pattern = {_quoted(pattern)}"]
    for pair in (rest or "").split(",") if rest else ():
        key, equals, value = pair.partition("=")
        if not equals or not key.strip() or not value.strip():
            raise UserError(
                f"{OPTION} must have key=value after the pattern, not {shorten(pair)!r}; "
                "separate them by commas"
            )
        lines.append(f"{_quoted(key.strip())} = {_toml(value.strip())}")
    return name, "\n".join(lines) + "\n"


def _toml(value: str) -> str:
    """A value of an option as TOML; several are divided by plus signs."""
    if _NUMBER.fullmatch(value):
        return value.removeprefix("+") if not re.match(r"[+-]?0[0-9]", value) else _quoted(value)
    parts = value.split("+")
    if len(parts) > 1 and all(part[:1].isdigit() for part in parts):
        return f"[{', '.join(map(_quoted, parts))}]"
    return _quoted(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


class TableReader:
    """Reads the tables of one source, and collects what is wrong with them.

    Parameters
    ----------
    document : Document
        The tables.
    compiled : Compiled
        The contract.
    run_clocks : int
        Clocks of the run in which tenants may ask.

    """

    def __init__(self, document: Document, compiled: Compiled, run_clocks: int) -> None:
        self.document = document
        self.compiled = compiled
        self.run_clocks = run_clocks
        self._reader = Reader(document, noun=NOUN)

    @property
    def found(self) -> list[Diagnostic]:
        """What is wrong."""
        return self._reader.found

    def read(self) -> tuple[AnyPattern | None, dict[str, AnyPattern]]:
        """The default, and the patterns of tenants by name."""
        document = self.document.values
        if "traffic" not in document and {"fabric", "tenant"} & document.keys():
            text = (
                f"{NOUN} must have [traffic] tables, and this is a contract; give a file that says "
                "what its tenants ask for"
            )
            self._reader.refuse((), text)
            return None, {}
        for key in document:
            if key != "traffic":
                text = f"{NOUN} must have [traffic] tables, not {shorten(repr(key))}; remove it"
                self._reader.refuse_key((key,), text)
        tables = document.get("traffic", {})
        if not isinstance(tables, dict):
            shown = self.document.shown(("traffic",))
            text = f"[traffic] must be a table, not {shown}; give it keys"
            self._reader.refuse(("traffic",), text)
            return None, {}
        tenants = self.compiled.contract.tenants.values()
        named = {tenant.name: tenant for tenant in tenants}
        default = {key: value for key, value in tables.items() if not isinstance(value, dict)}
        told = {}
        for name, table in tables.items():
            if not isinstance(table, dict):
                continue
            path: KeyPath = ("traffic", name)
            pattern = self._pattern(path, table)
            if name not in named:
                self._reader.refuse_key(path, _stranger(name, named))
            elif pattern is not None:
                self._judge(path, pattern, [named[name]])
                told[name] = pattern
        pattern = self._pattern(("traffic",), default) if default else None
        if pattern is not None:
            self._judge(("traffic",), pattern, [each for each in tenants if each.name not in told])
        return pattern, told

    def _pattern(self, path: KeyPath, table: Mapping[str, Any]) -> AnyPattern | None:
        label = _label(path)
        if "pattern" not in table:
            text = f"{label} must have the key pattern; add one of {', '.join(PATTERNS)}"
            self._reader.refuse_key(path, text)
            return None
        kind = table["pattern"]
        if not isinstance(kind, str) or kind not in PATTERNS:
            near = difflib.get_close_matches(str(kind), PATTERNS, n=1)
            way_out = f"did you mean {near[0]}?" if near else "choose one of them"
            shown = self.document.shown((*path, "pattern"))
            text = f"pattern must be one of {', '.join(PATTERNS)}, not {shown}; {way_out}"
            self._reader.refuse((*path, "pattern"), text)
            return None
        title = f"{_article(kind)} {kind} {label}"
        return self._reader.read(PATTERNS[kind], path, title=title, values=table)

    def _judge(self, path: KeyPath, pattern: AnyPattern, tenants: list[Tenant]) -> None:
        """What depends on the contract, the channel and the run."""
        if isinstance(pattern, Idle):
            return
        config = self.compiled.config

        def refuse(key: str, rule: str, way_out: str) -> None:
            shown = self.document.shown((*path, key))
            text = f"{key} must be {rule}, not {shown}; {way_out}"
            self._reader.refuse((*path, key), text)

        run = Fraction(self.run_clocks, config.clock_khz * 1000)
        start = pattern.start or Fraction(0)
        if start >= run:
            rule = f"before the run ends, after {DURATION.show(run)}"
            refuse("start", rule, "begin earlier or raise --clocks")
        elif pattern.stop is not None and pattern.stop <= start:
            refuse("stop", f"after start, {DURATION.show(start)}", "stop later")
        most = (1 << config.id_width) - 1
        if getattr(pattern, "window", 1) > most:
            refuse("window", f"at most the {most} ids of the channel", "give a smaller one")
        for size in getattr(pattern, "request", None) or ():
            if size & (size - 1) or not config.beat_bytes <= size <= config.l_max:
                rule = f"powers of two in {config.beat_bytes} B..{config.l_max} B"
                refuse("request", rule, "others could cross a boundary of 4 KiB")
                break
        if isinstance(pattern, Steady) and pattern.rate is None:
            poor = [each.name for each in tenants if not each.bandwidth.guaranteed]
            if poor:
                text = (
                    f"{_label(path)} must have the key rate, because {poor[0]} is guaranteed "
                    "nothing; add it"
                )
                self._reader.refuse_key(path, text)
        if isinstance(pattern, TraceFile):
            for key, other in (("model", "phase"), ("phase", "model")):
                if getattr(pattern, key) is not None and getattr(pattern, other) is None:
                    text = f"{_label(path)} must have {other} beside {key}; add it or remove {key}"
                    self._reader.refuse((*path, key), text)


def _stranger(name: str, named: Mapping[str, Tenant]) -> str:
    near = difflib.get_close_matches(name, named, n=3)
    way_out = f"did you mean {' or '.join(near)}?" if near else "correct the name or remove it"
    shown = shorten(repr(name))
    known = ", ".join(named)
    return f"a tenant must be one of the contract's, {known}, not {shown}; {way_out}"


def _label(path: KeyPath) -> str:
    return f"[{'.'.join(str(key) for key in path)}]"


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeiou" else "a"
