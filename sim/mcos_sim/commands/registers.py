"""``mcos registers``: registers and ports of a core, for tools and for people."""

import enum
from pathlib import Path
from typing import Annotated

import typer

from mcos_sim.console import require_outputs, tell, writing

__all__ = [
    "EXAMPLE",
    "command",
]


EXAMPLE = "mcos registers build/verilog/mcos.v --format ipxact -o build/mcos.xml"


class Format(enum.StrEnum):
    """What is written."""

    IPXACT = "ipxact"
    HTML = "html"


def command(
    core: Annotated[
        Path, typer.Argument(metavar="FILE.v", help="Verilog of mcos verilog, in its folder.")
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="File to write, or folder of the pages.",
            show_default=False,
        ),
    ],
    format: Annotated[Format, typer.Option(help="IP-XACT of IEEE 1685-2014, or pages.")],
) -> None:
    """Write the registers and the ports of a core as IP-XACT or as pages.

    PeakRDL makes both from the SystemRDL beside the Verilog; mcos verilog itself writes registers
    for C and as Markdown. The same core gives the same bytes.
    """
    from mcos_policy.files import write_together
    from mcos_sim.component import ipxact, read_component, write_html

    component = read_component(core)
    inputs = [core, component.registers]
    if format is Format.IPXACT:
        require_outputs([output], inputs=inputs)
        text = ipxact(component)
        with writing(output):
            write_together({output: text.encode()})
    else:
        require_outputs([output / "index.html"], inputs=inputs, folders=[output])
        with writing(output / "index.html"):
            write_html(component, output)
    tell(f"{output}: {len(component.ports)} ports")
