"""A trace for Perfetto: every request is a span, and spans end after they begin."""

import dataclasses
import json
from collections import Counter

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_sim.lockstep.case import random_case
from mcos_sim.waves.reading import read_waveform
from mcos_sim.waves.rules import check_waveform
from mcos_sim.waves.summary import summarise
from mcos_sim.waves.views.perfetto import Track, write_perfetto
from tests.sim.waves.windows import write_case


def test_requests_are_spans_and_levels_are_counters(tmp_path):
    write_case(random_case(ChannelConfig(tenants=4), seed=4, clocks=2_000), tmp_path / "w.vcd")
    waveform = read_waveform(tmp_path / "w.vcd")
    level = waveform.channel["load"].copy()
    level[700] ^= 1
    broken = dataclasses.replace(waveform, channel={**waveform.channel, "load": level})
    violations, total = check_waveform(broken)
    assert total == 1
    track = Track(waveform=broken, violations=violations, tenants=summarise(broken))
    count = write_perfetto(tmp_path / "w.json", [track])
    events = json.loads((tmp_path / "w.json").read_text())["traceEvents"]
    assert len(events) == count

    requests = int(np.count_nonzero(waveform.events["request.valid"]))
    (instant,) = [each for each in events if each["ph"] == "i" and each["name"] != "late"]
    assert (instant["name"], instant["ts"]) == ("load", violations[0].clock)
    assert "the channel says load" in instant["args"]["sentence"]
    begun = Counter(each["name"] for each in events if each["ph"] == "b")
    assert sum(n for name, n in begun.items() if name.endswith(" B")) == requests > 50
    assert begun["queued"] == begun["granted"] > 50

    spans = {}
    for each in events:
        key = each.get("id"), each["name"]
        if each["ph"] == "b":
            spans[key] = each
        elif each["ph"] == "e":
            assert each["ts"] >= spans[key]["ts"], key
    answered = int(np.count_nonzero(waveform.events["response.valid"]))
    ended = Counter(each["name"] for each in events if each["ph"] == "e")
    assert sum(n for name, n in ended.items() if name.endswith(" B")) == answered
    # A request is granted in its span.
    for (identity, name), each in spans.items():
        if name == "granted":
            whole = next(s for (i, n), s in spans.items() if i == identity and n.endswith(" B"))
            assert each["ts"] > whole["ts"]
            break
    counters = {(each["pid"], each["name"]) for each in events if each["ph"] == "C"}
    for tag in waveform.names:
        assert {(tag, "queued"), (tag, "committed bytes"), (tag, "peak bytes")} <= counters
    assert {name for pid, name in counters if pid == 1_000} == {"virtual time", "bytes in flight"}
