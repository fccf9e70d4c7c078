"""``mcos init``: a folder to begin in."""

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from mcos_policy.files import write_together
from mcos_policy.samples import SAMPLES, sample_words
from mcos_sim.console import print_table, require_outputs, tell, writing
from mcos_sim.errors import UserError
from mcos_sim.tables import Column

__all__ = [
    "EXAMPLE",
    "command",
]


EXAMPLE = "mcos init my-service --sample decode-prefill"


def command(
    directory: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="Folder to write to.", show_default="this folder"),
    ] = None,
    sample: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Begin from a sample contract, with traffic that fits it.",
            show_default=False,
        ),
    ] = None,
    names: Annotated[
        bool, typer.Option("--list", help="List the sample contracts instead.")
    ] = False,
) -> None:
    """Begin a contract: write contract.toml, traffic.toml, a Makefile and .gitignore.

    The contract has three tenants with a comment on each key: one with an objective, one without,
    and one that takes what is left. All files work as they are. No file is overwritten.
    """
    if names:
        if directory is not None or sample is not None:
            raise UserError("--list must come alone, without DIR and --sample; remove them")
        rows = [(name, sample_words(name)) for name in SAMPLES]
        print_table("", ["sample", Column(heading="what it is of", words=True)], rows)
        return
    directory = directory or Path()
    files = _texts(sample)
    there = [name for name in files if os.path.lexists(directory / name)]
    if there:
        raise UserError(
            f"{directory} must have none of the files that are written, and has "
            f"{', '.join(there)}; choose another folder"
        )
    written = {directory / name: text.encode() for name, text in files.items()}
    require_outputs(written, folders=[directory])
    with writing(*written):
        write_together(written)
    tell(f"{directory}: {', '.join(files)}")
    go = "" if directory == Path() else f"cd {shlex.quote(str(directory))} && "
    tell(f"next: {go}make explain run   (explain says what is promised, run what is kept)")
    tell(
        "then: edit contract.toml and traffic.toml, and run it again; make alone lists the targets"
    )


def _texts(sample: str | None) -> dict[str, str]:
    """Text of each file by its name."""
    from mcos_sim.templates import sample_files, template_files

    if sample is None:
        return template_files()
    if sample not in SAMPLES:
        raise UserError(f"--sample must be one of {', '.join(SAMPLES)}, not {sample!r}; choose one")
    from mcos_sim.commands.compile import compile_for

    compiled = compile_for(SAMPLES[sample], notes=False)
    return sample_files(sample, compiled.contract)
