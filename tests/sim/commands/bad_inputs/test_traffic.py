"""Traffic that cannot be asked: files, options, and options that say it twice."""

import pytest

from tests.sim.commands.bad_inputs.pantry import FILES, TRAFFIC
from tests.sim.commands.bad_inputs.runner import check, ids

RUN = "run c.toml --engine reference"

ROWS = [
    ("t-empty.toml", "t-empty.toml: error: a traffic file must not be empty; give it a [traffic]"),
    ("t-missing.toml", "t-missing.toml: error: a traffic file must be"),
    ("t-folder.toml", "t-folder.toml: error: a traffic file must be a file, not a directory"),
    ("t-loop.toml", "t-loop.toml: error: a traffic file must be a readable file, not this (Too"),
    ("t-zeros.toml", "t-zeros.toml:1:1: error: a traffic file must be TOML, not this"),
    ("t-syntax.toml", "t-syntax.toml:1:9: error: a traffic file must be TOML, not this"),
    ("t-deep.toml", "t-deep.toml: error: values must be nested a few levels deep"),
    (
        "t-contract.toml",
        "error: a traffic file must have [traffic] tables, and this is a contract; ",
    ),
    ("t-number.toml", "t-number.toml:1:11: error: [traffic] must be a table, not 1"),
    ("t-array.toml", "[traffic] must be a table, not"),
    ("t-nothing.toml", "t-nothing.toml:1:2: error: [traffic.decode-a] must have the key pattern"),
    ("t-default.toml", "t-default.toml:1:2: error: [traffic] must have the key pattern; add one"),
    ("t-pattern.toml", "t-pattern.toml:2:11: error: pattern must be one of backlogged, closed"),
    ("t-pattern-number.toml", "error: pattern must be one of backlogged, closed, steady, on-off"),
    ("t-stranger.toml", "t-stranger.toml:1:2: error: a tenant must be one of the contract's, pre"),
    ("t-near.toml", "not 'decode-d'; did you mean decode-"),
    ("t-key.toml", "error: a key of a steady [traffic.decode-a] must be one of pattern, rate, re"),
    ("t-window.toml", "error: a closed [traffic.decode-a] must have the key window; add it"),
    ("t-window-0.toml", "t-window-0.toml:3:10: error: window must be an integer in 1..4095, not 0"),
    ("t-window-4096.toml", "error: window must be an integer in 1..4095, not 4096"),
    ("t-window-text.toml", 'error: window must be an integer in 1..4095, not "16"'),
    ("t-rate.toml", 'error: rate must be a rate such as "120 GB/s", not "10 GB"'),
    ("t-rate-0.toml", 'error: rate must be over 0, not "0 GB/s"'),
    ("t-rate-nan.toml", "error: rate must be a rate such as"),
    ("t-on.toml", 'error: on must be over 0, not "0 us"'),
    ("t-think.toml", "error: think must be a duration such as"),
    ("t-step.toml", 'error: step must be over 0, not "0 B"'),
    ("t-request.toml", 'error: request must be powers of two in 32 B..512 B, not "100 B"'),
    ("t-request-16.toml", 'error: request must be powers of two in 32 B..512 B, not "16 B"'),
    ("t-request-1k.toml", 'error: request must be powers of two in 32 B..512 B, not "1 KiB"'),
    ("t-request-none.toml", "error: request must be a size or a list of 1 to 64 sizes, not []"),
    ("t-share.toml", "error: write_share must be a number in 0..1, not 1.01"),
    ("t-share-nan.toml", "error: write_share must be a number in 0..1, not nan"),
    ("t-share-true.toml", "error: write_share must be a number in 0..1, not true"),
    ("t-start.toml", 'error: start must be before the run ends, after 248.72 us, not "1 ms"'),
    ("t-stop.toml", 'error: stop must be after start, 3 us, not "2 us"; stop later'),
    ("t-model.toml", 'error: model must be one of llama-3-70b, llama-3-8b, not "gpt"'),
    ("t-phase.toml", 'error: phase must be "prefill" or "decode", not "both"'),
    ("t-half.toml", "error: [traffic.decode-a] must have phase beside model; add it or remove"),
    ("t-escape.toml", r"not '\x1b[31m'"),
    ("t-no-file.toml", "nowhere.csv: a trace must be a readable file, not this (No such"),
    ("t-bad-csv.toml", "bad.csv:2: op must be R or W, not 'X'"),
    ("t-idle.toml", "mcos: error: a tenant must ask for something, and all are idle"),
]

OPTIONS = [
    (f"{RUN} --traffic-of decode-a", "--traffic-of must be NAME=PATTERN:key=value,key=value"),
    (f"{RUN} --traffic-of decode-a=stedy", "pattern must be one of backlogged"),
    (
        f"{RUN} --traffic-of decode-a=closed:window=x",
        'window must be an integer in 1..4095, not "x"',
    ),
    (
        "run h200 --traffic-of spare=steady",
        "[traffic.spare] must have the key rate, because spare is guaranteed nothing; add it",
    ),
    (f"{RUN} --traffic-of decode-z=idle", "a tenant must be one of the contract's"),
    (f"{RUN} --traffic-of \x1b[31m=idle", "--traffic-of must be NAME=PATTERN"),
    (
        f"{RUN} --traffic-of decode-a=idle --traffic-of decode-a=idle",
        "--traffic-of must be given once for 'decode-a', not twice",
    ),
    (
        f"{RUN} --traffic t-good.toml --workload loaded",
        "--workload must not be given beside --traffic: both say what tenants ask for",
    ),
    (
        f"{RUN} --traffic t-good.toml --trace t.jsonl",
        "--trace must not be given beside --traffic: both say what tenants ask for",
    ),
    (
        f"{RUN} --traffic-of decode-a=idle --workload loaded",
        "--workload must not be given beside --traffic-of",
    ),
    (f"{RUN} --workload loaded --trace t.jsonl", "--trace must not be given beside --workload"),
    (f"{RUN} --requests 3", "--requests must not be given without --trace; leave it out"),
    (f"{RUN} --grants 3", "--grants must not be given without --trace; leave it out"),
    (f"{RUN} --model llama-3-8b", "--model must not be given without --trace; leave it out"),
    (f"{RUN} --trace t.jsonl --clocks 5000", "--clocks must not be given with --trace, which ends"),
    (f"{RUN} --traffic t-good.toml --json t-good.toml", "t-good.toml must not be written"),
    (f"{RUN} --traffic t-batch.toml --json batch.csv", "batch.csv must not be written"),
]


@pytest.mark.parametrize(("name", "says"), ROWS, ids=ids(ROWS))
def test_a_bad_traffic_file_is_refused(name, says, tmp_path, capsys, monkeypatch):
    files = TRAFFIC | {"c.toml": FILES["c.toml"]}
    check(f"{RUN} --traffic {name}", says, files, tmp_path, capsys, monkeypatch)


@pytest.mark.parametrize(("line", "says"), OPTIONS, ids=ids(OPTIONS))
def test_bad_traffic_options_are_refused(line, says, tmp_path, capsys, monkeypatch):
    check(line, says, FILES | TRAFFIC, tmp_path, capsys, monkeypatch)
