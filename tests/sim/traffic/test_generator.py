import numpy as np
import pytest

from mcos_sim.errors import UserError
from mcos_sim.traffic.generator import PROFILES, generate_trace
from mcos_sim.traffic.trace import FORMATS, read_trace


@pytest.mark.parametrize("format", FORMATS)
def test_generated_trace_reads_back_with_its_profile(tmp_path, format):
    path = tmp_path / "trace"
    path.write_text(generate_trace(format, requests=2000, seed=1))
    trace, profile = read_trace(path), PROFILES[format]
    assert (trace.format, len(trace)) == (format, 2000)
    # The standard error of a median of 2000 log-normal values is 0.028 sigma, of the rate 0.022.
    inputs, outputs = trace.requests["input_tokens"], trace.requests["output_tokens"]
    assert np.median(inputs) == pytest.approx(profile.input_median, rel=0.12)
    assert np.median(outputs) == pytest.approx(profile.output_median, rel=0.08)
    seconds = trace.requests["arrival_ns"][-1] / 1e9
    assert 2000 / seconds == pytest.approx(profile.requests_per_second, rel=0.1)


def test_generated_mooncake_trace_shares_prefixes(tmp_path):
    path = tmp_path / "trace"
    path.write_text(generate_trace("mooncake", requests=500, seed=2))
    trace = read_trace(path)
    counts = np.diff(trace.block_offsets)
    assert np.array_equal(counts, -(-trace.requests["input_tokens"] // 512))
    assert trace.resolution_ns == 3_000_000_000
    assert np.all(trace.prefix_hits()[1:] > 0)
    assert 0.2 < np.mean(trace.prefix_hits() > 512) < 0.4


@pytest.mark.parametrize("format", FORMATS)
def test_seed_decides_every_byte(format):
    text = generate_trace(format, requests=50, seed=3)
    assert generate_trace(format, requests=50, seed=3) == text
    assert generate_trace(format, requests=50, seed=4) != text


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ("parquet", 1, 0),
            "format must be one of mooncake, azure, sessions, agents, not 'parquet'",
        ),
        (("azure", 0, 0), r"requests must be in 1\.\.1000000, not 0"),
        (("azure", 1, -1), "seed must be 0 or more, not -1"),
    ],
)
def test_bad_arguments_are_refused(arguments, complaint):
    format, requests, seed = arguments
    with pytest.raises(UserError, match=f"^{complaint}$"):
        generate_trace(format, requests=requests, seed=seed)
