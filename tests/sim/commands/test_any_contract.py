"""``mcos run``: contracts of any tenants under traffic of any kind; nothing lost, bounds kept."""

import json
from pathlib import Path
from random import Random

import pytest

from tests.sim.commands.command_line import run_command

CLOCKS = 24_000
LATER = ("closed:window={n},think={n}us", "closed:window={n}", "steady:rate={n}00 GB/s", "idle")


def written(random: Random, folder: Path, tenants: int) -> tuple[Path, list[str]]:
    """A random contract and the names of its tenants."""
    channels = random.choice([1, 3, 8, 96])
    capacity = 51.2 * channels
    burst = f"{capacity:.1f} GB/s"
    parts = [random.randint(2, 40) for _ in range(tenants)]
    tags = random.sample(range(16), tenants)
    lines = ["[fabric]", f"channels = {channels}"]
    names = [f"t{random.randrange(10**6)}-{k}" for k in range(tenants)]
    for name, part, tag in zip(names, parts, tags, strict=True):
        best_effort = name != names[0] and random.random() < 0.2
        guarantee = 0 if best_effort else round(0.8 * capacity * part / sum(parts), 6)
        lines += ["[[tenant]]", f'name = "{name}"']
        lines += [f"tag = {tag}"] * random.randint(0, 1)
        lines += ["[tenant.bandwidth]", f'guaranteed = "{guarantee} GB/s"']
        lines += [f'burst = "{burst}"', 'burst_duration = "20 us"']
        lines += ['latency_slo = "100 us"'] * (random.random() < 0.5)
    path = folder / "c.toml"
    path.write_text("\n".join(lines) + "\n")
    return path, names


def ran(folder: Path, *arguments: object) -> dict:
    out = folder / "run.json"
    code = run_command(
        *("run", *arguments, "--engine", "reference", "--clocks", CLOCKS),
        *("--json", out, "-o", folder),
    )
    assert code == 0
    return json.loads(out.read_text())


@pytest.mark.parametrize("seed", range(4))
def test_any_contract_keeps_its_bounds_under_the_default_traffic(seed, tmp_path):
    random = Random(seed)
    contract, names = written(random, tmp_path, random.choice([1, 2, 5, 15, 16]))
    found = ran(tmp_path, contract, "--seed", seed)
    assert found["traffic"] == "default"
    rows = {row["name"]: row for row in found["tenants"]}
    assert list(rows) == names
    for row in rows.values():
        if row["best_effort"]:
            assert row["traffic"] == "backlogged"
            assert row["bound_clocks"] is row["promised_clocks"] is None
        elif row["slo_clocks"] is not None:
            assert row["conforming"]
            assert row["latency_clocks"]["max"] <= row["bound_clocks"]
            assert (row["violations"], row["breaches"]) == (0, 0)
            assert row["granted_gbps"] == pytest.approx(row["guaranteed_gbps"], rel=0.2)
        else:
            assert row["traffic"] == "backlogged"
            assert row["granted_gbps"] >= 0.9 * row["guaranteed_gbps"]
    backlogged = any(row["traffic"] == "backlogged" for row in rows.values())
    idle = found["idle_gbps"] / found["capacity_gbps"]
    assert (idle < 0.03) == backlogged


@pytest.mark.parametrize("seed", range(6, 10))
def test_any_traffic_is_accounted_for(seed, tmp_path):
    """Nothing lost: what was granted and what is left over are the capacity, request by request."""
    random = Random(seed)
    contract, names = written(random, tmp_path, random.randint(2, 8))
    options = []
    for name in names[1:]:
        pattern = random.choice(LATER).format(n=random.randint(1, 9))
        options += ["--traffic-of", f"{name}={pattern}"]
    found = ran(tmp_path, contract, *options, "--seed", seed)
    assert [row["name"] for row in found["tenants"]] == names
    assert found["traffic"] == "options"
    for row in found["tenants"]:
        assert row["bytes_granted"] <= row["bytes_requested"]
        assert row["grants"] <= row["requests"] <= row["grants"] + row["window"]
        assert row["granted_gbps"] <= row["asked_gbps"] + 1e-9
        assert sum(row["latency_histogram"]["counts"]) <= row["requests"]
        if row["traffic"] == "idle":
            assert (row["requests"], row["asked_gbps"], row["worst"]) == (0, 0.0, None)
    granted = sum(row["granted_gbps"] for row in found["tenants"])
    assert granted + found["idle_gbps"] == pytest.approx(found["capacity_gbps"], rel=2e-3)


@pytest.mark.cocotb
def test_both_engines_say_the_same(tmp_path):
    contract, names = written(Random(3), tmp_path, 5)
    options = ("--traffic-of", f"{names[1]}=closed:window=9,think=1us,request=64B+512B")
    found = {}
    for engine in ("reference", "verilated"):
        out = tmp_path / f"{engine}.json"
        code = run_command(
            *("run", contract, *options, "--engine", engine, "--clocks", 8_000),
            *("--json", out, "-o", tmp_path),
        )
        assert code == 0
        found[engine] = json.loads(out.read_text())
    for key in ("engine", "clocks_per_second"):
        for each in found.values():
            each.pop(key)
    assert found["reference"] == found["verilated"]
