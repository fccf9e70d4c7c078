"""What ``mcos explain`` shows of contracts that are admitted, and of those that are not."""

import json
import re
from pathlib import Path

import pytest

from mcos_policy.samples import SAMPLES
from mcos_sim.cli import main

ROOT = Path(__file__).parents[3]
SAMPLE = SAMPLES["decode-prefill"].read_text(encoding="utf-8")


def _run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


@pytest.fixture
def explained(tmp_path, capsys):
    """Explains a changed sample: its exit code, what it shows, and its JSON."""

    def run(*changes: tuple[str, str], options: tuple[str, ...] = ()):
        text = SAMPLE
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        contract, path = tmp_path / "c.toml", tmp_path / "x.json"
        contract.write_text(text, encoding="utf-8")
        code = _run("explain", str(contract), "--json", str(path), *options)
        shown = capsys.readouterr()
        return code, shown, json.loads(path.read_text()) if path.exists() else None

    return run


@pytest.mark.parametrize(("slo", "shown_as"), [("1.25 ns", " 1.25 "), ("1250.5 ns", " 1,250.5 ")])
def test_an_objective_is_shown_as_it_was_asked(explained, slo, shown_as):
    _, shown, _ = explained(('"25 us"', f'"{slo}"'))
    assert shown_as in shown.out


def test_it_answers_every_tenant(explained):
    code, shown, record = explained()
    assert code == 0
    assert "8 channels of 51.2 GB/s, 409.6 GB/s in all; 85.00% of it guaranteed." in shown.out
    assert "guaranteed_gbps = 120 means 120 GB/s: 120 x 10^9 bytes per second" in shown.out
    assert record["admitted"]
    assert (record["limit_gbps"], record["over_by_gbps"]) == (348.16, 0)
    assert (record["headroom_gbps"], record["headroom_channel_gbps"]) == (0, 0)
    assert record["contract"]["name"] == "c.toml"
    prefill, *decoders = record["tenants"]
    assert (prefill["slo_ns"], prefill["verdict"]) == (None, None)
    for tenant in decoders:
        assert (tenant["slo_ns"], tenant["verdict"]) == (25_000, "holds")
    for tenant in record["tenants"]:
        assert sum(tenant["bound_terms_ns"].values()) == pytest.approx(tenant["bound_ns"])
        # A bucket of 20 us at the guarantee is sent at the tenant's share, 1 / 0.85 of that.
        more = tenant["burst_bound_ns"] - tenant["bound_ns"]
        assert more == pytest.approx(20_000 * 0.85, rel=1e-3)
        row = next(line for line in shown.out.splitlines() if line.startswith(tenant["name"]))
        assert f"{tenant['guaranteed_fabric']:g}" in row


def test_registers_are_shown_when_asked_for(explained):
    _, plain, record = explained()
    _, shown, _ = explained(options=("--registers",))
    assert "(registers)" not in plain.out
    assert "Buckets of each tenant (registers)" in shown.out
    assert "Registers of the channel" in shown.out
    for tenant in record["tenants"]:
        assert str(tenant["registers"]["inverse_weight"]) in shown.out
        assert f"{tenant['delay_ns']:.1f}" in shown.out


def test_headroom(explained):
    _, shown, record = explained(("102.4", "80"))
    assert record["headroom_gbps"] == pytest.approx(67.2)
    assert record["headroom_channel_gbps"] == pytest.approx(8.4)
    assert "348.16 GB/s: 67.2 GB/s are free, 8.4 GB/s of each channel." in shown.out
    assert "could be guaranteed 0.3137 to 67.2 GB/s" in shown.out
    assert record["further_least_gbps"] == pytest.approx(80 / 255)
    code, *_ = explained(
        ("102.4", "80"),
        ('[[tenant]]\nname = "prefill"', _further("67.2 GB/s") + '[[tenant]]\nname = "prefill"'),
    )
    assert code == 0
    code, *_ = explained(
        ("102.4", "80"),
        ('[[tenant]]\nname = "prefill"', _further("67.3 GB/s") + '[[tenant]]\nname = "prefill"'),
    )
    assert code == 2


def test_why_no_tenant_fits(explained):
    _, shown, _ = explained()
    assert "does not fit: a 255th of the largest guarantee is not free." in shown.out
    _, shown, _ = explained(options=("--tenants", "4"))
    assert "does not fit: all 4 tags are taken." in shown.out


def _further(guaranteed: str) -> str:
    keys = f'guaranteed = "{guaranteed}", burst = "{guaranteed}", burst_duration = "1 us"'
    return f'[[tenant]]\nname = "further"\nbandwidth = {{ {keys} }}\n'


def test_objectives_that_are_not_promised(explained):
    _, shown, record = explained(("25 us", "700 ns"))
    bound = record["tenants"][1]["bound_ns"]
    assert [tenant["verdict"] for tenant in record["tenants"]] == [None, *["not promised"] * 3]
    assert len(record["warnings"]) == 3
    assert f"should be at least the bound {bound:.1f} ns" in record["warnings"][0]
    assert record["warnings"][0] in shown.err
    assert shown.out.count("not promised") == 3
    _, shown, record = explained(("25 us", "100 ns"))
    assert record["tenants"][1]["verdict"] == "impossible"
    assert "An idle channel takes 185 ns." in shown.out


def test_too_much_is_shown_with_what_would_fit(explained):
    code, shown, record = explained(("102.4", "110"))
    assert code == 2
    assert not record["admitted"]
    assert record["over_by_gbps"] == pytest.approx(22.8)
    assert record["headroom_gbps"] == 0
    assert (record["fitting_channels"], record["warnings"]) == (9, [])
    assert len(record["errors"]) == 1
    assert "22.8 GB/s or 6.55% too much. 9 channels would do." in " ".join(shown.out.split())
    row = next(line for line in shown.out.splitlines() if line.startswith("decode-a"))
    # 110 GB/s x 348.16 / 370.96.
    assert row.split() == ["decode-a", "110", "103.2", "26.86%", "409.6", "25,000", "-", *_NOT]
    (error,) = record["errors"]
    assert error in shown.err
    assert "multiply all of them by 0.9385" in error
    code, _, record = explained(("102.4", "103.2"), ("40.96", "38.44"))
    assert (code, record["admitted"]) == (0, True)


_NOT = ("not", "admitted")


def test_best_effort(explained):
    effort = 'work_conserving = true\nguaranteed = "0 GB/s"'
    _, shown, record = explained(('guaranteed = "40.96 GB/s"', effort))
    assert (record["tenants"][0]["bound_ns"], record["tenants"][0]["verdict"]) == (None, None)
    (row,) = [line for line in shown.out.splitlines() if line.startswith("prefill")]
    assert row.split()[-2:] == ["best", "effort"]
    code, shown, record = explained(('guaranteed = "40.96 GB/s"', effort), ("102.4", "130"))
    assert (code, record["tenants"][0]["fitting_fabric"]) == (2, 0)
    assert "prefill 0" not in record["errors"][0].split("multiply")[1]
    (row,) = [line for line in shown.out.splitlines() if line.startswith("prefill")]
    assert row.split()[1:3] == ["0", "0"]


def test_other_errors_come_with_the_table_too(explained):
    code, shown, record = explained(("tag = 3", "tag = 16"))
    assert (code, record["admitted"]) == (2, False)
    assert record["tenants"][3]["bound_ns"] is None
    assert "decode-c" in shown.out
    assert "tag must be in 0..15" in shown.err
    # What a key means is not known where it is at fault.
    code, shown, record = explained(('burst_duration = "20 us"', "burst_duration = 20"))
    assert (code, shown.out) == (2, "")


def test_without_the_pacer(explained):
    _, shown, record = explained(("channels = 8", "channels = 8\npacer = false"))
    assert record["tenants"][0]["bound_ns"] is None
    assert "Without the pacer no bound holds" in shown.out


def test_the_page_shows_what_the_command_shows(explained):
    page = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```text\n(8 channels of.*?)```", page, re.DOTALL)
    _, shown, _ = explained(("102.4", "80"), ("25 us", "600 ns"))
    lines = [line.rstrip() for line in shown.out.splitlines()]
    assert example.splitlines() == lines[: len(example.splitlines())]
