"""Services that cannot be sized."""

import pytest

from tests.sim.commands.bad_inputs.pantry import FILES
from tests.sim.commands.bad_inputs.runner import check, ids

LOAD = "size --tokens-per-second 10 --context 10 --batch 1 --channels 8"
TIMED = f"{LOAD} --tbt 4ms"
MODEL = f"{TIMED} --model llama-3-8b"
NONE = "--model must be one of llama-3-70b, llama-3-8b, or --weight-bytes and --kv-bytes-per-token"
LONG = "99999999999999999999999999"

ROWS = [
    (
        "size --batch 2 --context 9",
        "--tokens-per-second, --tbt, --channels must be given for a service; add what is",
    ),
    (f"{LOAD} --model llama-3-8b", "error: --tbt must be given for a service; add what is missing"),
    (TIMED, NONE),
    (f"{TIMED} --weight-bytes 10", NONE),
    (f"{TIMED} --kv-bytes-per-token 10", NONE),
    (
        f"{TIMED} --model \x1b[31m[red]",
        "model must be one of llama-3-70b, llama-3-8b, not '\\x1b[31m[red]'",
    ),
    (f"{MODEL} --active-bytes 9", "--model must come without --weight-bytes, --active-bytes and"),
    (
        f"{TIMED} --weight-bytes 9 --active-bytes 10 --kv-bytes-per-token 1",
        "--active-bytes must be at most the 9 of --weight-bytes, not 10; lower it",
    ),
    (f"{LOAD} --tbt 4", "--model must be one of"),
    (
        f"{LOAD} --tbt 4 --model llama-3-8b",
        "--tbt must be a duration such as \"2 ms\", not '4'; write",
    ),
    (f"{LOAD} --tbt 0ms --model llama-3-8b", "--tbt must be over 0, not '0ms'"),
    (f"{MODEL} --rate 1GB", "--rate must be a rate such as"),
    (
        f"{MODEL} --rate 52GB/s",
        "--rate must be in 800 MB/s..51.2 GB/s, the rate of the hardware's channel, not '52GB/s'",
    ),
    (f"{MODEL} --rate 799MB/s", "--rate must be in 800 MB/s..51.2 GB/s"),
    (f"{MODEL} --memory-size 1GB/s", "--memory-size must be a size such as"),
    (f"{MODEL} --request-bytes 48", "--request-bytes must be a multiple of 32 in 32..512, not 48"),
    (f"{MODEL} --request-bytes 544", "--request-bytes must be a multiple of 32 in 32..512, not"),
    (f"{MODEL} --name \x1b[31m", "--name must be 1 to 32 of the characters a-z, 0-9 and -, not"),
    (f"{MODEL} --window 0", "--window must be in 1.."),
    (f"{MODEL} --batch {LONG}", "--batch must be in 1.."),
    (f"{MODEL} --channels 1025", "--channels must be in 1.."),
]


@pytest.mark.parametrize(("line", "says"), ROWS, ids=ids(ROWS))
def test_a_service_that_cannot_be_sized(line, says, tmp_path, capsys, monkeypatch):
    check(line, says, FILES, tmp_path, capsys, monkeypatch)
