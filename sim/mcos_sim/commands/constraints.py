"""``mcos constraints``: constraint files for a core, written and checked."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mcos_sim.commands.edge import at_edge
from mcos_sim.console import progress, require_outputs, tell, writing
from mcos_sim.errors import HardwareError, UserError

if TYPE_CHECKING:
    from mcos_sim.constraints.finding import Finding
    from mcos_sim.constraints.target import Target

__all__ = [
    "EXAMPLE",
    "app",
]


EXAMPLE = "mcos constraints check board.xdc --core build/verilog/mcos.v"

app = typer.Typer(help="Constraint files: written for a core, checked without vendor tools.")

_Core = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.v",
        help="Verilog that is constrained, with its .json beside it, of mcos verilog.",
        show_default="of check: the core that the target names",
    ),
]


@app.command(epilog="Example: mcos constraints write asic --core build/verilog/mcos.v -o mcos.sdc")
@at_edge
def write(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="A folder of constraints/.")],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="File to write.", show_default=False),
    ],
    core: _Core = None,
) -> None:
    """Write the clock, delays and exceptions of a core from the data of a target.

    The clock is that of the core, and delays are parts of its period, which are in
    constraints/TARGET/target.toml. The same data and the same core always give the same bytes.
    """
    from mcos_policy.files import write_together
    from mcos_sim.constraints.target import read_target

    data = read_target(target)
    if data.suffix == "lpf":
        (file, words), *_ = data.cores.items()
        raise UserError(
            f"target must be one whose constraints are delays, not {target!r}; "
            f"mcos verilog {' '.join(words)} writes {file}"
        )
    if core is None:
        raise UserError("--core must be Verilog of mcos verilog, not nothing; give it")
    require_outputs([output], inputs=[core])
    text = _text(data, core)
    with writing(output):
        write_together({output: text.encode()})
    tell(f"{output}: {len(text):,} bytes")


@app.command(epilog=f"Example: {EXAMPLE}")
@at_edge
def check(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE]...",
            help="Constraint files: .xdc, .sdc or .lpf.",
            show_default="all of constraints/",
        ),
    ] = None,
    core: _Core = None,
    target: Annotated[
        str | None, typer.Option(help="Check the files of this target only.", show_default="all")
    ] = None,
) -> None:
    """Check that constraints name what the Verilog has, and leave nothing out.

    Tcl is run by a real interpreter with the vendor's commands recorded. Every port, clock and cell
    that is named must be in the Verilog, every port constrained, every clock with a period that is
    the core's, and the device one that its family has. A line for each mistake; exit code 1 if
    there is one.
    """
    if files and core is None:
        raise UserError("files must have the Verilog that they constrain, not none; give --core")
    if core is not None and not files:
        raise UserError("--core must be with files that constrain it, not without; give them")
    if files and core is not None:
        from mcos_sim.constraints.check import check_file

        found = [(path, check_file(path, core)) for path in files]
    else:
        found = list(_checked(target))
    for path, findings in found:
        for finding in findings:
            tell(finding)
        if not findings:
            tell(f"{path}: nothing wrong")
    count = sum(len(findings) for _, findings in found)
    if count:
        raise HardwareError(
            f"constraints must have no mistake, not {count}; the lines above say where and what"
        )


def _checked(name: str | None) -> list[tuple[Path, list[Finding]]]:
    """Every file of constraints/, against the core that its target names."""
    from mcos_sim.constraints.check import check_file
    from mcos_sim.constraints.emitted import emit
    from mcos_sim.constraints.finding import Finding
    from mcos_sim.constraints.target import read_target, targets

    chosen = [read_target(each) for each in (targets() if name is None else [name])]
    found = []
    with progress("Checking", sum(len(each.cores) for each in chosen)) as advance:
        for each in chosen:
            found.append((each.file, each.check()))
            for file, arguments in each.cores.items():
                path = each.file.with_name(file)
                with tempfile.TemporaryDirectory() as directory:
                    core = emit(arguments, Path(directory))
                    findings = check_file(path, core)
                    if path.read_text(encoding="utf-8") != _text(each, core):
                        text = (
                            f"{file} must be what {each.file.name} says, not older; write it again"
                        )
                        findings.append(Finding(file=path, line=1, rule="data", text=text))
                found.append((path, findings))
                advance(1)
    return found


def _text(target: Target, core: Path) -> str:
    from mcos_sim.constraints.core import read_core
    from mcos_sim.constraints.write import constraints, record_of

    if target.suffix == "lpf":
        # mcos verilog writes it, with the pins of the board.
        return core.with_suffix(".lpf").read_text(encoding="utf-8")
    return constraints(target, read_core(core), record_of(core))
