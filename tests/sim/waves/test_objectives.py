"""Requests later than an objective, and requests from before a window."""

import dataclasses
import json

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_policy.compiler import compile_contract
from mcos_policy.samples import SAMPLES
from mcos_sim.engines.model import run_scenario
from mcos_sim.experiments.contention import WORKLOADS, Setting, contention_scenario
from mcos_sim.scenario import FIRST_CLOCK, Window
from mcos_sim.waves.objectives import late_requests
from mcos_sim.waves.reading import read_waveform
from mcos_sim.waves.spans import older_spans, spans
from mcos_sim.waves.summary import summarise
from mcos_sim.waves.views.verdict import late_sentences, sentence
from tests.sim.commands.command_line import run_command

CONFIG = ChannelConfig()

FROM = 1_500
"""Row from which the shorter window begins."""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("objectives") / "w.vcd"
    compiled = compile_contract(SAMPLES["decode-prefill"], CONFIG)
    setting = Setting(clocks=5_000)
    window = Window(path=path, first=FIRST_CLOCK, end=setting.clocks)
    scenario = contention_scenario(
        compiled, WORKLOADS["saturated"], "mcos", setting, name="objectives", window=window
    )
    run_scenario(scenario)
    return path


@pytest.fixture(scope="module")
def whole(path):
    return read_waveform(path)


@pytest.fixture(scope="module")
def cut(whole):
    return whole.rows(slice(FROM, None))


def with_objective(waveform, clocks):
    """The waveform under images with an objective for everybody."""
    images = tuple(
        (
            since,
            dataclasses.replace(
                image,
                tenants=tuple(
                    dataclasses.replace(each, latency_slo=clocks) for each in image.tenants
                ),
            ),
        )
        for since, image in waveform.images
    )
    return dataclasses.replace(waveform, images=images)


def test_an_offer_is_that_of_the_stamp(whole):
    stamps = whole.events["request.offered"]
    for tag in whole.names:
        for each in spans(whole, tag):
            row = int(np.searchsorted(whole.clocks, each.accepted))
            assert each.offered == stamps[row] <= each.accepted
    waited = [each.accepted - each.offered for tag in whole.names for each in spans(whole, tag)]
    assert max(waited) > 10


def test_a_stamp_of_another_clock_is_left_out(whole):
    """As where a foreign counter began earlier: latency then counts from acceptance."""
    mask = (1 << CONFIG.stamp_width) - 1
    for shift in (-1_000_000, 9_000):
        valid = whole.events["request.valid"] == 1
        stamps = np.where(valid, (whole.events["request.offered"] + shift) & mask, -1)
        moved = dataclasses.replace(whole, events={**whole.events, "request.offered": stamps})
        for tag in whole.names:
            assert all(each.offered == each.accepted for each in spans(moved, tag))


def test_older_requests_are_those_that_the_longer_window_has(whole, cut):
    """By their grants and answers; the shorter window knows neither offer nor acceptance."""
    first = int(cut.clocks[0])
    seen = 0
    for tag in whole.names:
        known = [each for each in spans(whole, tag) if each.accepted < first]
        queued = [each for each in known if each.granted is None or each.granted >= first]
        flying = [
            each
            for each in known
            if each.granted is not None
            and each.granted < first
            and each.answered is not None
            and each.answered >= first
        ]
        older = older_spans(cut, tag)
        assert all(each.is_older and each.begins == first for each in older)
        still = [each for each in older if each.is_queued]
        assert [(each.granted, each.answered) for each in still] == [
            (each.granted, each.answered) for each in queued
        ]
        assert [each.size for each in still if each.granted] == [
            each.size for each in queued if each.granted
        ]
        assert sorted((each.request_id, each.answered) for each in older if not each.is_queued) == (
            sorted((each.request_id, each.answered) for each in flying)
        )
        seen += len(older)
        assert older_spans(whole, tag) == []
    assert seen > 10


def test_lateness_is_counted_on_both_sides_of_an_objective(whole):
    for tag in whole.names:
        latencies = np.array([each.latency for each in spans(whole, tag) if each.latency])
        worst = int(latencies.max())
        for objective in (worst - 1, worst):
            late = late_requests(with_objective(whole, objective), tag)
            assert len(late.violations) == np.count_nonzero(latencies > objective)
            assert late.worst is not None
            assert late.worst.latency_clocks == worst
            assert late.worst.completed - late.worst.offered == worst
        assert late_requests(with_objective(whole, 0), tag).slo_clocks is None


def test_a_request_from_before_is_late_for_what_is_shown(cut):
    """What it waited before the window is not known, and not made up."""
    first = int(cut.clocks[0])
    for tag in cut.names:
        older = [each.answered - first for each in older_spans(cut, tag) if each.answered]
        if not older:
            continue
        for objective in (max(older) - 1, max(older)):
            late = late_requests(with_objective(cut, objective), tag)
            younger = sum(
                each.latency is not None and each.latency > objective for each in spans(cut, tag)
            )
            assert len(late.violations) - younger == sum(each > objective for each in older)


def test_what_is_open_is_told_apart(whole):
    end = int(whole.clocks[-1]) + 1
    for tag in whole.names:
        waiting = [end - each.offered for each in spans(whole, tag) if each.answered is None]
        if not waiting:
            continue
        for objective in (max(waiting) - 1, max(waiting)):
            late = late_requests(with_objective(whole, objective), tag)
            assert late.open_late == sum(each > objective for each in waiting)


def test_the_wait_in_its_own_queue_is_at_most_the_latency(whole, cut):
    for waveform in (whole, cut):
        for each in summarise(with_objective(waveform, 1)):
            assert 0 <= each.worst.own_queue_clocks <= each.worst.latency_clocks
    late = [late_requests(cut, tag) for tag in cut.names]
    assert not all(each.worst.own_queue_exact for each in late)
    assert all(late_requests(whole, tag).worst.own_queue_exact for tag in whole.names)


def test_best_effort_waits_until_the_one_in_front_is_granted(whole):
    free = tuple(
        (
            since,
            dataclasses.replace(
                image,
                tenants=tuple(dataclasses.replace(t, committed_rate=0) for t in image.tenants),
            ),
        )
        for since, image in whole.images
    )
    waveform = dataclasses.replace(whole, images=free)
    for tag in waveform.names:
        worst = late_requests(waveform, tag).worst
        every = list(spans(waveform, tag))
        (place,) = [
            k
            for k, each in enumerate(every)
            if (each.request_id, each.offered) == (worst.request_id, worst.offered)
        ]
        before = every[place - 1].granted if place else worst.offered
        assert worst.own_queue_clocks == max(0, before - worst.offered)


def test_one_sentence_says_file_clocks_arbiter_contract_and_verdict(whole, path):
    loose = with_objective(whole, 1 << 19)
    end = int(whole.clocks[-1]) + 1
    said = sentence(path, loose, [], 0, summarise(loose))
    assert said == (
        f"w.vcd, clocks 1,024 to {end:,} of MCOS under decode-prefill.toml: no rule is "
        "broken; every answer is within its SLO"
    )
    tight = with_objective(whole, 100)
    tenants = summarise(tight)
    said = sentence(path, tight, [], 0, tenants)
    first = tenants[0]
    requests = f"{first.slo_violations:,} requests"
    assert f"{first.name} answers {requests} later than its SLO of 125 ns" in said
    told = late_sentences(tight, tenants)
    assert told[0].startswith(f"{first.name}: its worst request, id {first.worst.request_id}, was ")
    assert f"{first.worst.latency_clocks:,} clocks against an SLO of 100; " in told[0]
    free = with_objective(whole, 0)
    assert "SLO" not in sentence(path, free, [], 0, summarise(free))


@pytest.mark.parametrize(("own", "told"), [(99, "at least 99 of them"), (100, "all of them")])
def test_all_of_a_latency_is_no_least_part(whole, own, told):
    row = next(each for each in summarise(with_objective(whole, 99)) if each.worst is not None)
    worst = dataclasses.replace(
        row.worst, latency_clocks=100, own_queue_clocks=own, own_queue_exact=False
    )
    (line,) = late_sentences(with_objective(whole, 99), [dataclasses.replace(row, worst=worst)])
    assert line.endswith(f"; {told} behind its own requests")


def test_the_command_answers_the_objective(path, tmp_path, capsys):
    """A missed objective breaks no rule: the exit code stays 0."""
    vcd = tmp_path / "w.vcd"
    vcd.write_bytes(path.read_bytes())
    state = json.loads(path.with_suffix(".json").read_text())
    for image in state["images"]:
        for tenant in image["tenants"]:
            tenant["latency_slo"] = 100
    assert state["contract"] == "decode-prefill.toml"
    state["contract"] = "mine"
    vcd.with_suffix(".json").write_text(json.dumps(state))
    found = tmp_path / "found.json"
    assert run_command("waves", vcd, "--json", found) == 0
    told = capsys.readouterr().out
    assert "of MCOS under mine: no rule is broken; " in told
    result = json.loads(found.read_text())
    assert result["contract"] == "mine"
    assert result["verdict"] in told
    for row in result["tenants"]:
        assert row["slo_clocks"] == 100
        assert row["slo_violations"] > 0
        assert row["worst"]["latency_clocks"] == row["worst_clocks"]
    del state["contract"]  # as windows of earlier versions have it
    vcd.with_suffix(".json").write_text(json.dumps(state))
    assert run_command("waves", vcd) == 0
    assert " of MCOS: no rule is broken; " in capsys.readouterr().out
