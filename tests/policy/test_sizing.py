"""Sizes of services, against numbers worked by hand; what is said to fit fits, and no more does."""

import dataclasses
import re
from fractions import Fraction

import pytest

from mcos_hw.config import ChannelConfig
from mcos_policy.sizing import Service, Sizing, size

CONFIG = ChannelConfig()
GIGA = 10**9

PLAIN = Service(
    name="decode",
    weight_bytes=10 * GIGA,
    read_bytes=10 * GIGA,
    kv_bytes_per_token=100_000,
    tokens_per_second=Fraction(1000),
    context=5000,
    batch=20,
    tbt=Fraction(10, 1000),
    channels=100,
    rate=Fraction(50 * GIGA),
    window=64,
    request_bytes=512,
)
"""A step reads 10 GB and 20 sequences of 0.5 GB: 20 GB, 50 times a second, in 10 ms."""


LATE = Fraction(30, 1000)


def _size(**changes: object) -> Sizing:
    return size(dataclasses.replace(PLAIN, **changes), CONFIG)


def test_by_hand() -> None:
    sizing = _size()
    of = sizing.service
    assert (of.kv_bytes, of.step_bytes) == (10 * GIGA, 20 * GIGA)
    assert (of.steps_per_second, of.step_time) == (50, Fraction(1, 100))
    assert (of.guaranteed, of.burst) == (1000 * GIGA, 2000 * GIGA)
    # 200 MB of each channel in 10 ms, 32 KiB of it outstanding.
    assert sizing.latency_slo == Fraction(64 * 512, 200 * 10**6) / 100
    assert sizing.burst_duration == Fraction(1, 100)
    assert (sizing.remarks, sizing.misfits) == ((), ())
    assert sizing.block == (
        '[[tenant]]\nname = "decode"\n\n[tenant.bandwidth]\nguaranteed = "1 TB/s"\n'
        'burst = "2 TB/s"\nburst_duration = "10 ms"\nlatency_slo = "1.638 us"\n'
    )
    values = {line.name: line.value for line in sizing.lines}
    assert values == {
        "bytes per step": "20 GB",
        "steps per second": "50 /s",
        "time of a step": "10 ms",
        "guaranteed": "1 TB/s",
        "share of capacity": "20.0%",
        "burst": "2 TB/s",
        "burst_duration": "10 ms",
        "latency_slo": "1.638 us",
    }


def test_tokens_may_need_steps_sooner_than_the_tbt() -> None:
    sizing = _size(tbt=Fraction(40, 1000))
    of = sizing.service
    assert of.step_time == Fraction(20, 1000)
    assert of.burst == of.guaranteed
    (remark,) = sizing.remarks
    assert remark == (
        "the tokens need a step every 20 ms, sooner than the TBT of 40 ms: a step is given that "
        "time"
    )
    assert _size(tbt=Fraction(20, 1000)).remarks == ()


def test_only_active_weights_are_read() -> None:
    of = _size(weight_bytes=600 * GIGA).service
    assert of.step_bytes == 20 * GIGA


def test_a_bucket_holds_less_than_a_step() -> None:
    # 2**28 - 1 bytes a channel: 75 channels hold a step of 20 GB, 74 do not.
    assert _size(channels=75).remarks == ()
    sizing = _size(channels=74)
    (remark,) = sizing.remarks
    assert remark == (
        "a bucket holds 268.4 MB a channel, less than the 270.3 MB of a step: burst_duration is "
        "9.932 ms instead of 10 ms"
    )
    assert sizing.burst_duration == Fraction((2**28 - 1) * 74, 2000 * GIGA)


def test_objectives_have_a_longest() -> None:
    sizing = _size(batch=1, context=1, weight_bytes=10**6, read_bytes=10**6)
    assert sizing.latency_slo == Fraction(2**20 - 1, 800_000_000)
    assert "the hardware counts objectives up to 1.311 ms" in sizing.remarks[-1]


def _proposed(misfit: str, word: str) -> int:
    found = re.search(rf"{word}(?: of)? ([\d,]+)|([\d,]+) {word}", misfit)
    assert found is not None, misfit
    return int((found[1] or found[2]).replace(",", ""))


@pytest.mark.parametrize(
    ("changes", "key", "word", "step"),
    [
        # 1 TB/s are 0.85 of 23.5 channels, and 20 GB in 20 ms fill 20.
        ({"channels": 20, "tbt": LATE}, "channels", "channels", -1),
        ({"channels": 20, "tbt": LATE}, "context", "context", 1),
        ({"channels": 23, "tbt": LATE, "context": 4000, "batch": 10}, "batch", "batch", -1),
        ({"channels": 20, "tbt": LATE}, "tokens_per_second", "tokens per second", 1),
        # 20 GB in 10 ms need 40, whatever the guarantee.
        ({"channels": 20}, "channels", "channels", -1),
        ({"channels": 30}, "context", "context", 1),
        ({"channels": 39}, "channels", "channels", -1),
        ({"channels": 39}, "context", "context", 1),
        ({"memory_size": 18 * GIGA}, "batch", "batch", 1),
        ({"memory_size": 18 * GIGA}, "context", "context", 1),
        ({"window": 7}, "window", "window", -1),
    ],
)
def test_what_is_said_to_fit_fits(changes: dict, key: str, word: str, step: int) -> None:
    (misfit,) = _size(**changes).misfits
    value = _proposed(misfit.split("; take ")[1], word)
    # Fewer channels have larger shares of a step, and need more requests outstanding.
    roomy = changes if key == "window" else {"window": 640} | changes
    exact = Fraction if key == "tokens_per_second" else int
    assert _size(**(roomy | {key: exact(value)})).misfits == ()
    assert _size(**(roomy | {key: exact(value + step)})).misfits != ()


def test_a_step_within_its_tbt() -> None:
    # 20 GB at 50 GB/s a channel in 10 ms: 40 channels.
    assert _size(channels=40).misfits == ()
    (misfit,) = _size(channels=39).misfits
    assert misfit == (
        "a step reads 20 GB, which takes 10.26 ms of all 39 channels, more than the TBT of 10 ms; "
        "take 40 channels, or a context of 4,750 at most, or a TBT of 10.26 ms"
    )


def test_where_nothing_but_a_smaller_model_would_do() -> None:
    (misfit,) = _size(memory_size=9 * GIGA, context=100).misfits
    assert misfit.endswith("take a memory of 10.2 GB")
    misfits = _size(weight_bytes=10**14, read_bytes=10**14, window=4095).misfits
    assert misfits[0].endswith("the capacity of 100 channels; take a smaller model")
