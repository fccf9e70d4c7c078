"""Runs of several channels have the interleave of their contract."""

import json

from mcos_policy.samples import SAMPLES
from mcos_sim.environment.environment import environment
from tests.sim.commands.command_line import run_command

HARDWARE = "[hardware]\nbeat_bytes = 64\nmax_beats = 8\n"


def contract(folder, *lines):
    text = SAMPLES["decode-prefill"].read_text()
    path = folder / "contract.toml"
    path.write_text(HARDWARE + text.replace("[memory]\n", "\n".join([*lines, "[memory]", ""])))
    return path


def run(folder, path, *options):
    out = folder / "out.json"
    code = run_command(
        *(
            "run",
            path,
            "--channels",
            2,
            "--tenants",
            4,
            "--engine",
            "reference",
            "--clocks",
            20_000,
        ),
        *("-o", folder, "--json", out, *options),
    )
    return code, json.loads(out.read_text()) if out.exists() else None


def test_a_run_has_the_interleave_of_its_contract(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "mcos_sim.engines.model.environment",
        lambda scenario, **named: asked.append(scenario) or environment(scenario, **named),
    )
    path = contract(tmp_path, "[fabric.interleave]", 'grain = "1 KiB"', 'hash = "xor"', "")
    code, found = run(tmp_path, path)
    assert code == 0
    assert min(found["channel_utilisation"]) > 0.9
    (scenario,) = asked
    # Of two channels of the contract's eight.
    assert (scenario.interleave.grain, scenario.interleave.masks) == (1, (0xFFFF_FFFE,))


def test_colours_beside_an_interleave_are_refused(tmp_path, capsys):
    path = contract(tmp_path, "[fabric.interleave]", 'grain = "1 KiB"', "")
    text = path.read_text().replace("[memory]\n", "[memory]\ncolour_bits = [16, 17]\n")
    path.write_text(text)
    assert run(tmp_path, path)[0] == 2
    message = " ".join(capsys.readouterr().err.split())
    assert "must have interleave in [fabric] or colour_bits in [memory], not both" in message
