"""``mcos diff``: exit codes, what is compared with what, and the record."""

import json
from pathlib import Path

import pytest

from mcos_policy.samples import SAMPLES
from tests.sim.commands.command_line import run_command

CONTRACT = SAMPLES["decode-prefill"].read_text(encoding="utf-8")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two contracts, their images, and a third that differs from the first in a comment."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.toml").write_text(CONTRACT)
    (tmp_path / "b.toml").write_text(CONTRACT.replace('"40.96 GB/s"', '"20.48 GB/s"'))
    (tmp_path / "c.toml").write_text(f"# another comment\n{CONTRACT}")
    for name in ("a", "b", "c"):
        assert run_command("compile", f"{name}.toml", "-o", f"{name}.img") == 0
    assert run_command("compile", "b.toml", "-o", "b4.img", "--tenants", "4") == 0
    return tmp_path


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("a.toml", "a.toml", 0),
        ("a.toml", "c.toml", 0),
        ("a.toml", "decode-prefill", 0),
        ("a.img", "c.img", 0),
        ("a.img", "c.toml", 0),
        ("c.toml", "a.img", 0),
        ("b.toml", "b4.img", 0),
        ("a.toml", "b.toml", 1),
        ("a.img", "b.img", 1),
        ("a.toml", "b.img", 1),
        ("b.img", "b4.img", 1),
    ],
)
def test_exit_codes(
    before: str, after: str, code: int, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run_command("diff", before, after, "--json", "d.json") == code
    shown = capsys.readouterr()
    assert shown.err == ""
    record = json.loads((files / "d.json").read_text())
    assert record["equal"] == (code == 0)
    if not code:
        assert shown.out == "No difference in what the hardware is told.\n"
        assert record["changes"] == record["consequences"] == []
        assert record["hardware_is_told_the_same"]


def test_contracts_in_words(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run_command("diff", "a.toml", "b.toml", "--json", "d.json") == 1
    shown = capsys.readouterr().out
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert "guaranteed 40.96 GB/s 20.48 GB/s -50 %" in lines
    assert "headroom 0 GB/s 20.48 GB/s" in lines
    record = json.loads((files / "d.json").read_text())
    assert record["compared_as"] == "contracts"
    assert record["changes"] == [
        {
            "subject": "prefill",
            "key": "guaranteed",
            "before": "40.96 GB/s",
            "after": "20.48 GB/s",
            "by": -0.5,
        }
    ]
    assert {each["key"] for each in record["consequences"]} == {
        "headroom",
        "share if all are backlogged",
        "bound",
    }


def test_images_in_words(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run_command("diff", "a.img", "b.img") == 1
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "Rates, bytes and weights are those of one channel." in lines
    assert "prefill (tag 0)" in lines
    assert "committed_rate 5.12 GB/s 2.56001 GB/s -50 %" in lines


@pytest.mark.parametrize("damage", ["gone", "of another image", "no JSON", "a list", "no names"])
def test_an_image_without_its_record(
    damage: str, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = json.loads((files / "a.img.json").read_text())
    content = {
        "of another image": (files / "b.img.json").read_text(),
        "no JSON": "{",
        "a list": "[]",
        "no names": json.dumps(
            record | {"tenants": {"x": 3, "0": ["y"]}, "config": {"tenants": "z"}}
        ),
    }
    (files / "a.img.json").unlink()
    if damage in content:
        (files / "a.img.json").write_text(content[damage])
    capsys.readouterr()
    assert run_command("diff", "a.img", "b.img") == 1
    shown = capsys.readouterr().out
    assert "prefill (tag 0)" in shown


def test_contracts_for_other_fabrics_may_tell_each_channel_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_command("diff", "llama-3-8b", "llama-3-70b") == 1
    assert capsys.readouterr().out.endswith("Each channel of the hardware is told the same.\n")
