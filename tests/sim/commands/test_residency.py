import json

import pytest

from tests.sim.commands.command_line import run_command

TRACE = """\
{"timestamp": 0, "input_length": 900, "output_length": 1, "tenant": "chat", "hash_ids": [0, 1]}
{"timestamp": 9, "input_length": 900, "output_length": 1, "tenant": "batch", "hash_ids": [0, 2]}
{"timestamp": 20, "input_length": 900, "output_length": 1, "tenant": "chat", "hash_ids": [0, 1]}
"""


@pytest.fixture
def trace(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text(TRACE)
    return path


def test_rows_a_page_and_a_table_by_tenant(trace, tmp_path, capsys):
    page, figures = tmp_path / "page.html", tmp_path / "figures.json"
    asked = ["residency", "--trace", trace, "--blocks", 3, "--blocks", 1, "--hints", "exact"]
    assert run_command(*asked, "-o", page, "--json", figures) == 0
    shown = capsys.readouterr()
    assert "chat" in shown.out
    rows = json.loads(figures.read_text())["rows"]
    found = {(row["policy"], row["blocks"]): row for row in rows}
    assert found["lru", 3]["hit_rate"] == pytest.approx(3 / 6)
    assert found["lru", 3]["tenants"] == {"batch": 0.5, "chat": 0.5}
    assert found["optimum", 1]["hit_rate"] == pytest.approx(2 / 6)
    assert {row["trace"] for row in rows} == {"t.jsonl"}
    assert found["combined", 3]["hints"] == "exact"
    text = page.read_text()
    assert text.count("<svg") == 2
    assert "mcos residency --trace" in text


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--policy", "combined"], "--policy combined must come with hints; add --hints, one of"),
        (["--quota", "chat=4", "--blocks", "3"], "--quota must be TENANT=NUMBER with a number in"),
        (["--quota", "shop=1"], "--quota must name a tenant of t.jsonl, one of chat, batch, not"),
        (["--priority", "chat"], "--priority must be TENANT=NUMBER with a number in 0..7, not"),
        (["--liar", "shop"], "--liar must name a tenant"),
        (["--classes", "3"], "--classes must be one of 1, 2, 4, 5, 8, not 3"),
        (["--blocks", "0"], "--blocks must be "),
        (["-o", "t.jsonl"], "t.jsonl must not be written"),
    ],
)
def test_mistakes_are_one_line(arguments, complaint, trace, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run_command("residency", "--trace", "t.jsonl", *arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"mcos: error: {complaint}")


@pytest.mark.parametrize(
    ("second", "complaint"),
    [
        ('{"timestamp": 1}', "a request must have the key input_length"),
        (
            '{"timestamp": 1, "input_length": 1, "output_length": 1, "hash_ids": [1]}',
            "all requests must name a tenant or none",
        ),
    ],
)
def test_a_bad_line_is_named(second, complaint, trace, tmp_path, capsys):
    trace.write_text(TRACE + second + "\n")
    assert run_command("residency", "--trace", trace, "-o", tmp_path / "p.html") == 2
    assert f"{trace}:4: {complaint}" in capsys.readouterr().err


def test_a_trace_without_blocks_is_refused(tmp_path, capsys):
    path = tmp_path / "azure.csv"
    path.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n2024-01-01 00:00:00,10,3\n")
    assert run_command("residency", "--trace", path, "-o", tmp_path / "p.html") == 2
    assert "a trace must name prefix blocks (hash_ids)" in capsys.readouterr().err


def test_a_generated_trace_reads_back_as_it_was_made(tmp_path):
    path, figures = tmp_path / "agents.jsonl", tmp_path / "figures.json"
    made = ["trace", "--generate", "agents", "--requests", 300, "--seed", 4, "-o", path]
    assert run_command(*made) == 0
    asked = ["--blocks", 200, "--policy", "lru", "--seed", 4, "-o", tmp_path / "page.html"]
    both = ["--trace", path, "--trace", "agents", "--requests", 300]
    assert run_command("residency", *both, *asked, "--json", figures) == 0
    one, other = json.loads(figures.read_text())["rows"]
    assert one["hit_rate"] == other["hit_rate"]
    # A file has tenants in the order of their first request.
    assert sorted(one["tenants"].values()) == sorted(other["tenants"].values())
