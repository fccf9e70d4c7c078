"""The emitted Verilog in another simulator, checked from its own waveform."""

import dataclasses
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from mcos_hw.channel.probe import probe_layout
from mcos_hw.config import ChannelConfig
from mcos_hw.targets.generic import files
from mcos_policy.compiler import compile_contract
from mcos_policy.samples import SAMPLES
from mcos_sim.verilated.hardware import image_writes, load_clocks
from mcos_sim.waves.reading import read_waveform
from mcos_sim.waves.rules import check_waveform
from mcos_sim.waves.signals import OF_THE_PORT
from tests.sim.commands.command_line import run_command

CONFIG = ChannelConfig(tenants=4, queue_depth=4, slots=32)
BEGIN = load_clocks(CONFIG) + 20
"""Cycle in which requests begin, and the waveform."""


def names(tenants) -> dict[str, str]:
    """Signals of the bench by ours."""
    probe = probe_layout(CONFIG)
    dut = "bench.dut.controller.probe"
    found = {"mcos.clock": "bench.cycle"}
    for member, _ in probe["channel"].shape:
        scope = "port" if member in OF_THE_PORT else "arbiter"
        found[f"mcos.{scope}.{member}"] = f"{dut}.channel.{member}"
    for tag, scope in enumerate(tenants):
        for member, _ in probe["tenants"].shape.elem_shape:
            found[f"mcos.tenants.{scope}.{member}"] = f"{dut}.tenants[{tag}].{member}"
    valid = {"request": "request_taken", "offer": "command_valid", "command": "command_taken"}
    for kind, port in (("offer", "command"), ("command", "command"), ("completion", "completion")):
        for member in ("slot", "tenant", "op", "address", "beats"):
            if member == "slot" or kind != "completion":
                found[f"mcos.events.{kind}.{member}"] = f"bench.{port}_{member}"
    for kind in ("request", "offer", "command", "completion", "response"):
        found[f"mcos.events.{kind}.valid"] = f"bench.{valid.get(kind, f'{kind}_valid')}"
    requests = {"tenant": "tenant", "id": "id", "op": "id[0]", "address": "place"}
    for member, theirs in {**requests, "beats": "beats", "offered": "offered"}.items():
        found[f"mcos.events.request.{member}"] = f"bench.{theirs}"
    for member in ("tenant", "id"):
        found[f"mcos.events.response.{member}"] = f"bench.response_{member}"
    return found


def run_bench(folder: Path) -> None:
    """Run the bench on a compiled contract; ``bench.vcd``, ``state.json`` and ``names.toml``."""
    compiled = compile_contract(SAMPLES["decode-prefill"], CONFIG)
    writes = image_writes(compiled.image.words, CONFIG, live=load_clocks(CONFIG) + 10)
    rows = [f"{clock:08x}{address:08x}{word:08x}" for clock, address, word in writes]
    (folder / "writes.hex").write_text("\n".join([*rows, "f" * 24]) + "\n")
    (folder / "mcos.v").write_text(files(CONFIG, regenerate="the tests")["mcos.v"])
    sizes = {
        "WRITES": len(rows),
        "TENANT_BITS": CONFIG.tenant_width,
        "SLOT_BITS": CONFIG.slot_width,
        "BEGIN": BEGIN,
    }
    defines = [f"-D{name}={value}" for name, value in sizes.items()]
    sources = [str(Path(__file__).with_name("bench.v")), "mcos.v"]
    for command in (["iverilog", "-g2005", *defines, "-o", "bench", *sources], ["vvp", "bench"]):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    tenants = {f"t{tag}": {"name": f"t{tag}", "tag": tag} for tag in range(CONFIG.tenants)}
    state = {
        "config": dataclasses.asdict(CONFIG),
        "arbiter_kind": "mcos",
        "images": [{"clock": 0, **dataclasses.asdict(compiled.settings)}],
        "tenants": tenants,
    }
    (folder / "state.json").write_text(json.dumps(state))
    signals = [f"{json.dumps(ours)} = {json.dumps(its)}" for ours, its in names(tenants).items()]
    (folder / "names.toml").write_text("\n".join(['state = "state.json"', "[signals]", *signals]))


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="iverilog is not installed")
def test_our_verilog_in_icarus_breaks_no_rule(tmp_path, capsys):
    """With a checkpoint, a hidden time, and a memory that does not take every command at once."""
    run_bench(tmp_path)
    mapping = tmp_path / "names.toml"
    assert run_command("waves", tmp_path / "bench.vcd", "--mapping", mapping) == 0
    assert "(20 between them hidden or unknown): no rule is broken" in capsys.readouterr().out
    waveform = read_waveform(tmp_path / "bench.vcd", mapping=mapping)
    assert waveform.channel["granted"].sum() > 40
    assert waveform.events["response.valid"].sum() > 40
    if shutil.which("vcd2fst"):
        fst = tmp_path / "bench.fst"
        subprocess.run(["vcd2fst", str(fst.with_suffix(".vcd")), str(fst)], check=True)
        there = read_waveform(fst, mapping=mapping)
        assert list(there.clocks) == list(waveform.clocks)
        assert check_waveform(there) == ([], 0)
