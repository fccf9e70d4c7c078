"""``mcos waves``: what is wrong in a waveform, and who got what in it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mcos_hw.config import CHANNELS
from mcos_sim.commands.options import clock_span, json_option
from mcos_sim.console import output, progress, require_outputs, say, tell, write_json, writing
from mcos_sim.errors import UserError
from mcos_sim.tables import Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcos_sim.waves.reading import Waveform
    from mcos_sim.waves.rules import Violation, Wording
    from mcos_sim.waves.summary import Grant, TenantSummary

__all__ = [
    "EXAMPLE",
    "command",
]


EXAMPLE = "mcos waves build/demo/window.vcd --grants 47000:47040"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Views:
    """Files that show a waveform."""

    perfetto: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Also write a trace for ui.perfetto.dev.", show_default=False
        ),
    ] = None
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write a timeline to zoom in.", show_default=False),
    ] = None
    svg: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also draw what a viewer shows around the first violation, or --at.",
            show_default=False,
        ),
    ] = None
    at: Annotated[
        int | None,
        typer.Option(min=0, metavar="CLOCK", help="Clock of --svg.", show_default=False),
    ] = None

    @property
    def files(self) -> list[Path | None]:
        """All of them."""
        return [self.perfetto, self.html, self.svg]

    def require_place(self) -> None:
        """Refuse a clock to draw without a drawing.

        Raises
        ------
        UserError
            If there is one.
        """
        if self.at is not None and self.svg is None:
            raise UserError("--at is the clock of --svg FILE; add it, or leave --at out")

    def of_channel(self, channel: int) -> Views:
        """The files of one of several channels; the trace is one of all of them."""
        from mcos_sim.waves.window import channel_path

        html, svg = (
            None if each is None else channel_path(each, channel) for each in (self.html, self.svg)
        )
        return dataclasses.replace(self, html=html, svg=svg, perfetto=None)

    def write(self, seen: Seen, pages: Sequence[Path] = ()) -> None:
        """Write those of one waveform that were asked for, but for the trace.

        Parameters
        ----------
        seen : Seen
            What was read and found.
        pages : Sequence[Path]
            Pages of all channels, if there are several.
        """
        waveform, violations = seen.waveform, seen.violations
        if self.svg is not None:
            from mcos_sim.waves.views.drawing import write_drawing

            first = violations[0].clock if violations else int(waveform.clocks[0])
            with writing(self.svg):
                write_drawing(
                    self.svg,
                    waveform,
                    at=first if self.at is None else self.at,
                    violations=violations,
                )
        if self.html is not None:
            from mcos_sim.waves.views.timeline import write_timeline

            with writing(self.html), progress("Drawing the timeline", None):
                write_timeline(
                    self.html,
                    waveform,
                    file=seen.file,
                    violations=violations,
                    count=seen.count,
                    tenants=seen.tenants,
                    channel=seen.channel,
                    pages=pages,
                )

    def write_trace(self, found: Sequence[Seen]) -> None:
        """Write the trace of all channels, if it was asked for."""
        if self.perfetto is None:
            return
        from mcos_sim.waves.views.perfetto import Track, write_perfetto

        tracks = [
            Track(
                waveform=each.waveform,
                violations=each.violations,
                tenants=each.tenants,
                channel=each.channel,
            )
            for each in found
        ]
        with writing(self.perfetto), progress("Writing the Perfetto trace", None):
            write_perfetto(self.perfetto, tracks)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Seen:
    """A waveform, and what was found in it.

    Parameters
    ----------
    file : Path
        Its file.
    channel : int or None
        Which of several channels it is.
    waveform : Waveform
        What was read.
    violations, count : list[Violation], int
        The first violations, and how many there are in all.
    tenants : list[TenantSummary]
        What each tenant got.
    listed : list[Grant]
        Grants that were asked for.
    verdict : str
        What it shows, in a sentence.
    """

    file: Path
    channel: int | None
    waveform: Waveform
    violations: list[Violation]
    count: int
    tenants: list[TenantSummary]
    listed: list[Grant]
    verdict: str

    def record(self) -> dict[str, Any]:
        """The same for JSON."""
        from mcos_sim.waves.rules import Wording

        waveform, wording = self.waveform, Wording(self.waveform)
        return {
            **({} if self.channel is None else {"channel": self.channel}),
            "arbiter": waveform.arbiter.name.lower(),
            "clocks": len(waveform.clocks),
            "config_hash": waveform.config.hash,
            "contract": waveform.contract,
            "first_clock": int(waveform.clocks[0]),
            "grants": [dataclasses.asdict(each) for each in self.listed],
            "hidden_clocks": waveform.hidden_clocks,
            "tenants": [dataclasses.asdict(each) for each in self.tenants],
            "verdict": self.verdict,
            "violation_count": self.count,
            "violations": [_row(each, wording) for each in self.violations],
        }


def command(
    file: Annotated[Path, typer.Argument(help="VCD or FST of a channel.")],
    mapping: Annotated[
        Path | None,
        typer.Option(
            metavar="TOML", help="Signal names of a waveform that is not ours.", show_default=False
        ),
    ] = None,
    grants: Annotated[
        str | None,
        typer.Option(metavar="A:B", help="List grants of clocks A up to B.", show_default=False),
    ] = None,
    channel: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=CHANNELS[-1] - 1,
            help="Only this channel of a waveform of several.",
            show_default="all of them",
        ),
    ] = None,
    *,
    views: Views,
    limit: Annotated[int, typer.Option(min=1, help="Violations that are printed.")] = 20,
    json: Annotated[Path | None, json_option("what was found")] = None,
) -> None:
    """Check a waveform against the rules of a channel and tell what each tenant got.

    Checked are the choice rule, token arithmetic and classes, tags and virtual time, the age guard,
    queues and ports: docs/waveforms.md. The exit code is 1 if a rule is broken. A run of several
    channels records a waveform of each; FILE is then the name that was given to mcos run.
    """
    from mcos_sim.waves.reading import state_path
    from mcos_sim.waves.window import recorded_paths, window_files

    clocks = None if grants is None else clock_span("--grants", grants)
    views.require_place()
    files = recorded_paths(file, channel)
    several = len(files) > 1
    if several and mapping is not None:
        raise UserError("--mapping must be of one waveform; add --channel")
    if not several:
        (file,) = files
    of_each = [views.of_channel(number) for number in range(len(files))] if several else [views]
    inputs = [each for path in files for each in (*window_files(path), state_path(path, mapping))]
    outputs = [each for part in of_each for each in part.files]
    trace = [views.perfetto] if several else []
    require_outputs([json, *trace, *outputs], inputs=[*inputs, mapping])
    found = [
        _seen(path, number if several else channel, mapping, clocks)
        for number, path in enumerate(files)
    ]
    pages = [each.html for each in of_each if each.html is not None] if several else []
    for each, part in zip(found, of_each, strict=True):
        part.write(each, pages)
    views.write_trace(found)
    for each in found:
        _tell(each, clocks, grants, limit)
    if json is not None:
        write_json(
            json,
            {"channels": [each.record() for each in found]} if several else found[0].record(),
        )
    if any(each.count for each in found):
        raise typer.Exit(1)


def _seen(
    file: Path, channel: int | None, mapping: Path | None, clocks: tuple[int, int] | None
) -> Seen:
    """Read and check a waveform."""
    from mcos_sim.waves.reading import read_waveform
    from mcos_sim.waves.rules import check_waveform
    from mcos_sim.waves.summary import grants_between, summarise
    from mcos_sim.waves.views.verdict import sentence

    with progress(f"Reading {file.name}", 1) as advance:
        waveform = read_waveform(file, mapping=mapping, on_progress=advance)
    with progress("Checking", None):
        violations, count = check_waveform(waveform)
        tenants = summarise(waveform)
    return Seen(
        file=file,
        channel=channel,
        waveform=waveform,
        violations=violations,
        count=count,
        tenants=tenants,
        listed=grants_between(waveform, *clocks) if clocks else [],
        verdict=sentence(file, waveform, violations, count, tenants),
    )


def _tell(seen: Seen, clocks: tuple[int, int] | None, grants: str | None, limit: int) -> None:
    """Print what was found in a waveform."""
    from mcos_sim.waves.rules import CLAIMS, Wording
    from mcos_sim.waves.summary import not_shown
    from mcos_sim.waves.views.verdict import late_sentences

    waveform, violations = seen.waveform, seen.violations
    _show_tenants(seen)
    if clocks:
        _show_grants(seen.listed)
        if (beyond := not_shown(waveform, *clocks)) is not None:
            say(f"--grants {grants}: {beyond}")
    wording = Wording(waveform)
    for violation in violations[:limit]:
        say(wording.sentence(violation))
    for rule in sorted({each.rule for each in violations}):
        say(f"  {rule.text}: {CLAIMS[rule]}")
    for line in late_sentences(waveform, seen.tenants):
        tell(line)
    tell(seen.verdict)


def _row(violation: Violation, wording: Wording) -> dict[str, Any]:
    """A violation for the JSON: the numbers of the waveform, and what people read."""
    told = wording.tell(violation)
    return {
        **dataclasses.asdict(violation),
        "rule": violation.rule.text,
        "quantity": violation.quantity.text,
        "unit": violation.quantity.unit,
        "sentence": wording.sentence(violation),
        "value_text": told.value_text,
        "expected_text": told.expected_text,
    }


def _show_tenants(seen: Seen) -> None:
    of = "" if seen.channel is None else f"channel {seen.channel}: "
    numbers = ("requests", "grants", "bytes", "share", "p50", "p99", "worst", "SLO", "late")
    output.print(
        Table(
            f"{of}{len(seen.waveform.clocks):,} clocks; latency from first offer, in clocks",
            ("tenant", *numbers),
            [
                (
                    each.name,
                    f"{each.requests:,}",
                    f"{each.grants:,}",
                    f"{each.bytes:,}",
                    f"{each.share:.1%}",
                    *map(_clocks, (each.p50_clocks, each.p99_clocks, each.worst_clocks)),
                    _clocks(each.slo_clocks),
                    "-" if each.slo_clocks is None else f"{each.slo_violations:,}",
                )
                for each in seen.tenants
            ],
        )
    )


def _clocks(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def _show_grants(grants: list[Grant]) -> None:
    from mcos_sim.waves.signals import CLASS_NAMES

    columns = (
        Column(heading="clock", name=True, justify="right"),
        Column(heading="tenant", justify="left"),
        "beats",
        Column(heading="class", justify="left"),
        *("S", "F", "V"),
    )
    rows = [
        (
            f"{each.clock:,}",
            each.tenant,
            str(each.beats),
            CLASS_NAMES[each.grant_class] + (", promoted" if each.promoted else ""),
            f"{each.start:#x}",
            f"{each.finish:#x}",
            f"{each.virtual_time:#x}",
        )
        for each in grants
    ]
    output.print(Table("1 grant" if len(grants) == 1 else f"{len(grants):,} grants", columns, rows))
