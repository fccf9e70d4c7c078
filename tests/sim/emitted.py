"""Files of ``mcos verilog`` without the netlist, which takes seconds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from mcos_hw.targets import package
from mcos_hw.targets.verilog import declarations
from mcos_sim.cli import main

__all__ = ["emitted_ports"]


def emitted_ports(arguments: Sequence[str], directory: Path) -> Path:
    """Write a core whose module has its ports and a register, and everything beside it.

    Parameters
    ----------
    arguments : Sequence[str]
        Arguments of ``mcos verilog``, without where to write.
    directory : Path
        The folder.

    Returns
    -------
    Path
        The Verilog.
    """

    def text(top: Any, *, name: str, ports: Any, **_: object) -> str:
        # Nobody elaborates them, of which Amaranth warns wherever garbage is collected next.
        for each in (top, top._component):
            each._MustUse__used = True
        return f"module {name} (\n{declarations(ports)}\n);\n  always @(posedge clk)\nendmodule\n"

    with mock.patch.object(package, "verilog_text", text), pytest.raises(SystemExit) as caught:
        main(["verilog", *arguments, "-o", str(directory)])
    assert not caught.value.code
    return next(directory.glob("*.json")).with_suffix(".v")
