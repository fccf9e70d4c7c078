"""``mcos size``: what it prints is what the page shows, and compiles as it is."""

import json
import re
import shlex

import pytest

from mcos_sim.commands.size import EXAMPLE
from tests.sim.commands.command_line import ROOT, run_command

PAGE = (ROOT / "docs" / "sizing.md").read_text(encoding="utf-8")
SERVICE = shlex.split(EXAMPLE)[1:]


def _block(shown: str) -> str:
    return shown[shown.index("[[tenant]]") :]


def test_the_page_shows_what_the_commands_show(capsys):
    examples = re.findall(r"```\n(mcos .*?)```\n.*?```text\n(.*?)```", PAGE, re.DOTALL)
    codes = []
    for command, expected in examples:
        codes.append(run_command(*shlex.split(command.replace("\\\n", ""))[1:]))
        shown = capsys.readouterr()
        lines = [line.rstrip() for line in (shown.out + shown.err).splitlines()]
        assert "\n".join(lines) == expected.rstrip("\n")
    assert codes == [0, 2]
    assert EXAMPLE in PAGE.replace("\\\n    ", "")


@pytest.mark.parametrize("rate", ["50 GB/s", "51.2 GB/s", "12.3456789 GB/s"])
@pytest.mark.parametrize("batch", [1, 7, 32])
def test_the_block_compiles_as_it_is(tmp_path, capsys, rate, batch):
    service = [
        *("--weight-bytes", 8 * 10**9, "--kv-bytes-per-token", 33_333, "--tokens-per-second", 66),
        *("--context", 7777, "--batch", batch, "--tbt", "14 ms", "--channels", 96, "--rate", rate),
    ]
    assert run_command("size", *service) == 0
    block = _block(capsys.readouterr().out)
    contract = tmp_path / "c.toml"
    text = f'[fabric]\nchannels = 96\n[memory]\nrate = "{rate}"\n'
    contract.write_text(text + block, encoding="utf-8")
    assert run_command("explain", contract, "--json", tmp_path / "x.json") == 0
    (tenant,) = json.loads((tmp_path / "x.json").read_text())["tenants"]
    assert tenant["name"] == "decode"
    assert tenant["slo_ns"] > 0


def test_the_example_is_promised_beside_others(tmp_path, capsys):
    assert run_command(*SERVICE, "--json", tmp_path / "s.json") == 0
    block = _block(capsys.readouterr().out)
    sized = json.loads((tmp_path / "s.json").read_text())
    assert sized["block"] == block
    contract = tmp_path / "c.toml"
    prefill = '[[tenant]]\nname = "prefill"\n[tenant.bandwidth]\nguaranteed = "400 GB/s"\n'
    prefill += 'burst = "4000 GB/s"\nburst_duration = "1 ms"\n'
    contract.write_text("[fabric]\nchannels = 96\n" + block + prefill, encoding="utf-8")
    assert run_command("explain", contract, "--json", tmp_path / "x.json") == 0
    decode, _ = json.loads((tmp_path / "x.json").read_text())["tenants"]
    assert decode["verdict"] == "holds"
    assert decode["guaranteed_fabric"] == pytest.approx(sized["guaranteed_gbps"], rel=1e-5)
    assert decode["slo_ns"] == pytest.approx(sized["latency_slo_ns"], rel=1e-3)


def test_what_does_not_fit(tmp_path, capsys):
    arguments = [*SERVICE, "--memory-size", "48 GB", "--json", tmp_path / "s.json"]
    arguments[arguments.index("96")] = "24"
    assert run_command(*arguments) == 2
    shown = capsys.readouterr()
    assert "bytes per step" in shown.out
    assert "[[tenant]]" not in shown.out
    sized = json.loads((tmp_path / "s.json").read_text())
    assert (sized["fits"], sized["block"], len(sized["misfits"])) == (False, None, 2)
    for misfit in sized["misfits"]:
        assert f"mcos: error: {misfit}\n" in shown.err


def test_a_model_of_ones_own_is_the_same(capsys):
    from mcos_sim.traffic.models import MODELS

    assert run_command(*SERVICE) == 0
    named = _block(capsys.readouterr().out)
    geometry = MODELS["llama-3-8b"]
    own = [argument for argument in SERVICE if argument not in ("--model", "llama-3-8b")]
    own += ["--weight-bytes", geometry.weight_bytes]
    own += ["--kv-bytes-per-token", geometry.kv_bytes_per_token]
    assert run_command(*own) == 0
    assert _block(capsys.readouterr().out) == named
    half = geometry.weight_bytes // 2
    assert run_command(*own, "--active-bytes", half) == 0
    assert f"{half / 10**9:.4g} GB of them read in a step" in capsys.readouterr().out


def test_what_hardware_takes(tmp_path, capsys):
    assert run_command("size", "--hardware", "--tenants", 4, "--json", tmp_path / "f.json") == 0
    rows = json.loads((tmp_path / "f.json").read_text())["figures"]
    assert {row["tenants"] for row in rows} == {4}
    shown = capsys.readouterr().out
    for row in rows:
        assert row["name"] in shown
    assert run_command("size", "--hardware", "--tenants", 5) == 2
    assert "not of --tenants 5" in capsys.readouterr().err


def test_a_service_needs_all_of_its_figures(capsys):
    assert run_command(*SERVICE[:-2]) == 2
    error = capsys.readouterr().err
    assert "--channels must be given for a service" in error
    assert error.count("\n") == 1
