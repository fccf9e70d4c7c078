"""The emitted Verilog mapped the way its users map it: module by module, nothing flattened."""

import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.targets.generic import TOP, files
from mcos_sim.synthesis.tool import cell_counts, run_yosys


@pytest.mark.soak
def test_yosys_maps_without_flattening(tmp_path):
    text = files(ChannelConfig(tenants=4), regenerate="")[f"{TOP}.v"]
    (tmp_path / "mcos.v").write_text(text, encoding="utf-8")
    passes = (
        "read_verilog mcos.v",
        f"synth_xilinx -family xcup -top {TOP}",
        "tee -o cells.json stat -json",
    )
    run_yosys(passes, directory=tmp_path, name="mapping")
    counts = cell_counts(tmp_path / "cells.json", top=TOP)
    # The channel and the loader are modules of their own, so that the top holds no logic.
    assert counts["mcos_controller"] == 1
    assert not any(cell.startswith("LUT") for cell in counts)
