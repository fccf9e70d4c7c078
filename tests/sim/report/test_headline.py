"""The sentence on top of the report: true of every result."""

import copy
from typing import Any

import pytest

from mcos_sim.report.headline import headline
from tests.sim.report.sample import result


def changed(p99: dict[str, float] | None = None, **others: float) -> dict[str, Any]:
    """The sample with each run's p99 of the decoders as many times that alone, and other figures.

    ``served``, ``full`` and ``used`` are the prefill's part of its target, the utilisation over
    that under FCFS, and the utilisation itself.
    """
    found = copy.deepcopy(result())
    runs = found["scenarios"]["loaded"]
    for run, times in (p99 or {}).items():
        for decoder, alone in zip(runs[run]["tenants"][1:], runs["alone"]["tenants"], strict=True):
            decoder["p99_clocks"] = int(alone["p99_clocks"] * times)
    if p99:
        runs["ratios"]["mcos_over_alone"] = p99["mcos"]
    runs["ratios"]["prefill_of_target"] = others.get("served", 0.991)
    runs["mcos_utilisation_over_fcfs"] = others.get("full", 0.996)
    runs["mcos"]["utilisation"] = others.get("used", 0.978)
    return found


def test_it_says_what_happened_by_how_much_and_that_nothing_was_paid():
    assert headline(result(), "loaded") == (
        "With a prefill burst beside them the decoders' slowest steps (p99) take 125 to 300 µs "
        "under FCFS and 25 to 61 µs under MCOS, 25 to 60 µs being what they take alone; the "
        "channel is as full (97.8 %) and the prefill gets 99.1 % of its share."
    )


@pytest.mark.parametrize(
    ("found", "said", "unsaid"),
    [
        (changed({"fcfs": 5, "mcos": 5}), "MCOS does not help: with a prefill", "MCOS helps"),
        (changed({"fcfs": 5, "mcos": 6}), "MCOS does not help: with a prefill", "MCOS helps"),
        (changed({"fcfs": 5, "mcos": 4.9}), "With a prefill", "does not help"),
        (
            changed({"fcfs": 5, "mcos": 1.06}),
            "so that MCOS makes them up to 1.06 times as long, where 1.05 is allowed;",
            "paid",
        ),
        (changed({"fcfs": 5, "mcos": 1.05}), "alone; the channel", "is allowed"),
        (
            changed({"fcfs": 3.9, "mcos": 1}),
            "FCFS makes a decoder only 3.9 times as slow as alone, so there was little to mend.",
            "paid",
        ),
        (changed({"fcfs": 4, "mcos": 1}), "as full", "little to mend"),
        (
            changed({"fcfs": 1, "mcos": 0.9}),
            "Under FCFS not every decoder is slower than alone",
            "only 1 times",
        ),
        (
            changed(served=0.979),
            (
                "it is paid for: the prefill gets only 97.9 % of its share, while the channel is "
                "as full (97.8 %)."
            ),
            "less full",
        ),
        (changed(served=0.98), "gets 98 % of its share.", "paid for"),
        (
            changed(full=0.989, used=0.967),
            (
                "it is paid for: the channel is less full (96.7 %; 97.8 % under FCFS), while the "
                "prefill gets 99.1 % of its share."
            ),
            "only 9",
        ),
        (
            changed(full=0.99, used=0.968),
            "the channel is as full (96.8 %; 97.8 % under FCFS) and the prefill",
            "paid for",
        ),
        (
            changed(full=0.5, used=0.489, served=0.5),
            (
                "it is paid for: the channel is less full (48.9 %; 97.8 % under FCFS) and the "
                "prefill gets only 50 % of its share."
            ),
            "while",
        ),
    ],
)
def test_it_has_other_words_where_that_is_not_so(found, said: str, unsaid: str):
    sentence = headline(found, "loaded")
    assert said in sentence
    assert unsaid not in sentence


def test_it_counts_the_decoders_that_are_helped():
    found = changed({"fcfs": 5, "mcos": 1.01})
    found["scenarios"]["loaded"]["mcos"]["tenants"][2]["p99_clocks"] = 10**6
    assert headline(found, "loaded").startswith("MCOS helps 2 of 3 decoders: with a prefill")


def test_runs_that_are_too_short_are_not_compared():
    found = result()
    found["scenarios"]["loaded"]["fcfs"]["tenants"][1]["p99_clocks"] = None
    assert headline(found, "loaded") == (
        "The runs were too short to compare: decode-a did not end a step under every arbiter."
    )
    assert "under FCFS and" in headline(found, "saturated")


def test_what_differs_does_not_read_the_same():
    sentence = headline(changed({"fcfs": 5, "mcos": 1.004}), "loaded")
    assert "and 25.1 to 60.2 µs under MCOS, 25 to 60 µs being" in sentence
    assert "and 25 to 60 µs under MCOS, 25 to 60" in headline(
        changed({"mcos": 1, "fcfs": 5}), "loaded"
    )
