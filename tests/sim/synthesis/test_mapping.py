"""The emitted Verilog mapped the way its users map it: module by module, nothing flattened."""

import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.targets import generic
from mcos_sim.synthesis.tool import cell_counts, run_yosys
from tests.hw.targets import axi_core


def _generic():
    return generic.files(ChannelConfig(tenants=4), regenerate="")


@pytest.mark.soak
@pytest.mark.parametrize(
    ("files", "top", "within"),
    [(_generic, "mcos", "controller"), (axi_core.core, "mcos_axi", "fabric")],
)
def test_yosys_maps_without_flattening(files, top, within, tmp_path):
    (tmp_path / "mcos.v").write_text(files()[f"{top}.v"], encoding="utf-8")
    passes = (
        "read_verilog mcos.v",
        f"synth_xilinx -family xcup -top {top}",
        "tee -o cells.json stat -json",
    )
    run_yosys(passes, directory=tmp_path, name="mapping")
    counts = cell_counts(tmp_path / "cells.json", top=top)
    # The channel and the loader are modules of their own, so that the top holds no logic.
    assert counts[f"{top}_{within}"] == 1
    assert not any(cell.startswith("LUT") for cell in counts)
