import json
import re

import pytest
import typer
from typer.testing import CliRunner

from mcos_sim.commands.trace import command
from mcos_sim.errors import UserError
from tests.sim.commands.command_line import run_command

app = typer.Typer()
app.command()(command)


def run(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(result.exception, UserError):
        raise result.exception
    return result


@pytest.mark.parametrize("format", ["mooncake", "azure"])
def test_generated_trace_is_shown(tmp_path, format):
    trace, figures = tmp_path / "deep" / "trace", tmp_path / "figures.json"
    arguments = ("--generate", format, "--requests", 20, "--seed", 7)
    assert run(*arguments, "-o", trace).exit_code == 0
    assert run(*arguments, "-o", tmp_path / "again").exit_code == 0
    assert trace.read_bytes() == (tmp_path / "again").read_bytes()

    shown = run(trace, "--model", "llama-3-8b", "--channels", 32, "--json", figures)
    assert shown.exit_code == 0
    summary = json.loads(figures.read_text())
    assert (summary["format"], summary["requests"]) == (format, 20)
    assert summary["model"]["kv_bytes_per_token"] == 131_072
    assert summary["model"]["channel"]["kv_bytes_per_token"] == 4096
    tokens = summary["input_tokens"]
    assert tokens["p50"] <= tokens["p90"] <= tokens["p99"] <= tokens["p100"] <= tokens["total"]


def test_a_burst_is_told_in_milliseconds_and_what_looks_like_seconds_is_remarked(tmp_path, capsys):
    trace, figures = tmp_path / "trace", tmp_path / "figures.json"
    request = '{"timestamp": %s, "input_length": 1, "output_length": 1, "hash_ids": []}'
    trace.write_text("\n".join(request % time for time in (0.0, 0.2, 0.4)))
    assert run_command("trace", trace, "--json", figures) == 0
    shown = capsys.readouterr()
    assert re.search(r"span +0.4 ms", shown.out)
    assert f"{trace}: warning: timestamp should be milliseconds" in shown.err
    (warning,) = json.loads(figures.read_text())["warnings"]
    assert warning in shown.err


def test_kv_bytes_count_every_context_once_a_step(tmp_path):
    trace, figures = tmp_path / "trace", tmp_path / "figures.json"
    trace.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n2024-01-01 00:00:00,10,3\n")
    run(trace, "--model", "llama-3-8b", "--json", figures)
    model = json.loads(figures.read_text())["model"]
    assert model["kv_read_bytes"] == (10 + 11) * 131_072
    assert model["kv_written_bytes"] == (10 + 2) * 131_072


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "^give a trace FILE to show"),
        (("trace", "-o", "x"), "^-o must come with --generate"),
        (("trace", "--channels", "4"), "^--channels must come with --model"),
        (("trace", "--model", "gpt"), "^model must be one of"),
        (("--generate", "azure"), "^--generate must come with -o"),
        (("trace", "--generate", "azure", "-o", "x"), "^--generate must come without FILE"),
        (("--generate", "parquet", "-o", "x"), "^format must be one of"),
    ],
)
def test_mistakes_are_named(arguments, complaint):
    with pytest.raises(UserError, match=complaint):
        run(*arguments)
