"""``mcos waves``: what is wrong in a waveform, and who got what in it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mcos_sim.commands.options import clock_span, json_option
from mcos_sim.console import output, progress, require_outputs, say, tell, write_json, writing
from mcos_sim.errors import UserError
from mcos_sim.tables import Column, Table

if TYPE_CHECKING:
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

    def write(
        self,
        file: Path,
        waveform: Waveform,
        violations: list[Violation],
        count: int,
        tenants: list[TenantSummary],
    ) -> None:
        """Write those that were asked for.

        Parameters
        ----------
        file : Path
            The waveform's file.
        waveform : Waveform
            What was read.
        violations : list[Violation]
            The first violations.
        count : int
            How many there are in all.
        tenants : list[TenantSummary]
            What each tenant got.
        """
        if self.perfetto is not None:
            from mcos_sim.waves.views.perfetto import write_perfetto

            with writing(self.perfetto), progress("Writing the Perfetto trace", None):
                write_perfetto(self.perfetto, waveform, violations, tenants)
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
                    file=file,
                    violations=violations,
                    count=count,
                    tenants=tenants,
                )


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
    *,
    views: Views,
    limit: Annotated[int, typer.Option(min=1, help="Violations that are printed.")] = 20,
    json: Annotated[Path | None, json_option("what was found")] = None,
) -> None:
    """Check a waveform against the rules of a channel and tell what each tenant got.

    Checked are the choice rule, token arithmetic and classes, tags and virtual time, the age guard,
    queues and ports: docs/waveforms.md. The exit code is 1 if a rule is broken.
    """
    from mcos_sim.waves.reading import read_waveform, state_path
    from mcos_sim.waves.rules import CLAIMS, Wording, check_waveform
    from mcos_sim.waves.summary import grants_between, not_shown, summarise
    from mcos_sim.waves.views.verdict import late_sentences, sentence
    from mcos_sim.waves.window import window_files

    clocks = None if grants is None else clock_span("--grants", grants)
    state = state_path(file, mapping)
    views.require_place()
    require_outputs([json, *views.files], inputs=[*window_files(file), state, mapping])
    with progress(f"Reading {file.name}", 1) as advance:
        waveform = read_waveform(file, mapping=mapping, on_progress=advance)
    with progress("Checking", None):
        violations, count = check_waveform(waveform)
        listed = grants_between(waveform, *clocks) if clocks else []
        tenants = summarise(waveform)
    views.write(file, waveform, violations, count, tenants)
    _show_tenants(tenants, waveform)
    if clocks:
        _show_grants(listed)
        if (beyond := not_shown(waveform, *clocks)) is not None:
            say(f"--grants {grants}: {beyond}")
    wording = Wording(waveform)
    for violation in violations[:limit]:
        say(wording.sentence(violation))
    kinds = sorted({each.rule for each in violations})
    for rule in kinds:
        say(f"  {rule.text}: {CLAIMS[rule]}")
    for line in late_sentences(waveform, tenants):
        tell(line)
    verdict = sentence(file, waveform, violations, count, tenants)
    tell(verdict)
    if json is not None:
        write_json(
            json,
            {
                "arbiter": waveform.arbiter.name.lower(),
                "clocks": len(waveform.clocks),
                "config_hash": waveform.config.hash,
                "contract": waveform.contract,
                "first_clock": int(waveform.clocks[0]),
                "grants": [dataclasses.asdict(each) for each in listed],
                "hidden_clocks": waveform.hidden_clocks,
                "tenants": [dataclasses.asdict(each) for each in tenants],
                "verdict": verdict,
                "violation_count": count,
                "violations": [_row(each, wording) for each in violations],
            },
        )
    if count:
        raise typer.Exit(1)


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


def _show_tenants(tenants: list[TenantSummary], waveform: Waveform) -> None:
    numbers = ("requests", "grants", "bytes", "share", "p50", "p99", "worst", "SLO", "late")
    output.print(
        Table(
            f"{len(waveform.clocks):,} clocks; latency from first offer, in clocks",
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
                for each in tenants
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
