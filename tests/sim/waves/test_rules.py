"""Rules of a waveform: none is broken in a sound one, and each mistake is named."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind, channel_map
from mcos_policy.image import encode
from mcos_policy.settings import Settings
from mcos_sim.experiments.promises import settings
from mcos_sim.lockstep.case import Case, Commit, random_case
from mcos_sim.scenario import LIVE_CLOCK, Channel, one_port
from mcos_sim.traffic.stream import REQUEST, STEP, Stream
from mcos_sim.waves.reading import read_waveform
from mcos_sim.waves.rules import CLAIMS, Rule, Wording, check_waveform
from tests import planted_hardware
from tests.sim.lockstep.bugs import COMPACT_HARDWARE_BUGS
from tests.sim.waves.bugs import WAVEFORM_BUGS
from tests.sim.waves.planted_hardware import live_bug, planted_library
from tests.sim.waves.windows import write_case, write_case_of_hardware

CONFIG = ChannelConfig(tenants=4)
COMPACT = ChannelConfig(tenants=4, lateness=0, grant_interval=6)
CLOCKS = 3_000

SEEDS = range(1, 41)
"""Cases of which one has to show a mistake."""

LIKELY = {Rule.HANDSHAKE: 15, Rule.WRONG_ORDER: 13}
"""Cases that are tried first, to save time."""


def violations(path: Path):
    waveform = read_waveform(path)
    found = check_waveform(waveform)[0]
    wording = Wording(waveform)
    for each in found:
        told = wording.tell(each)
        assert told.value_text != told.expected_text, each
        assert waveform.names.get(each.tenant, "") in wording.sentence(each)
    return found


def wrapping_case(age_limit: int = 0) -> Case:
    """Four backlogged tenants of weight 1: V goes round the scale in a thousand clocks."""
    of = settings(CONFIG, (1, 1, 1, 1))
    tenants = tuple(dataclasses.replace(each, age_limit=age_limit) for each in of.tenants)
    return backlogged_case(dataclasses.replace(of, tenants=tenants))


def starving_case() -> Case:
    """Three tenants have tokens for more than the paced rate; the fourth is left to its age."""
    of = settings(CONFIG, (1, 1, 1, 1))
    rate = CONFIG.admissible_rate // 3 - 1
    depths = {"committed_depth": CONFIG.l_max, "peak_depth": CONFIG.l_max}
    tenants = [
        dataclasses.replace(each, age_limit=16, committed_rate=rate, peak_rate=rate, **depths)
        for each in of.tenants
    ]
    tenants[3] = dataclasses.replace(tenants[3], committed_rate=1, peak_rate=1)
    pace = (CONFIG.bytes_per_clock << CONFIG.rate_fraction) // 4
    channel = dataclasses.replace(of.channel, pacer_enable=1, pacer_rate=pace)
    return backlogged_case(Settings(channel=channel, tenants=tuple(tenants)))


def backlogged_case(of: Settings) -> Case:
    """Four tenants that always have requests."""
    case = random_case(CONFIG, seed=1, clocks=CLOCKS)
    image = encode(CONFIG, channel_map(CONFIG), of, 0)
    rng = np.random.default_rng(1)
    streams = []
    for tag in range(CONFIG.tenants):
        requests = np.zeros(2_000, dtype=REQUEST)
        requests["beats"] = rng.integers(2, CONFIG.max_beats, len(requests), endpoint=True)
        requests["address"] = rng.integers(0, 1 << 30, len(requests))
        steps = np.array([(0, len(requests), 0, 0)], dtype=STEP)
        streams.append(
            Stream(name=f"t{tag}", tag=tag, window=64, closed=True, requests=requests, steps=steps)
        )
    scenario = dataclasses.replace(
        case.scenario,
        ports=one_port(streams),
        channels=(Channel(latency=40, credit=of.channel.port_credit),),
        image=image.words,
        offer_pause=0.0,
        command_pause=0.0,
    )
    return Case(
        seed=1,
        scenario=scenario,
        commits=(Commit(clock=LIVE_CLOCK, settings=of, image=image),),
    )


@pytest.mark.parametrize(("lateness", "interval"), [(3, 1), (0, 1), (0, 4), (0, 7)])
@pytest.mark.parametrize("seed", range(1, 7))
def test_nothing_is_wrong_in_a_sound_waveform(seed, lateness, interval, tmp_path):
    """Random contracts, commits under way, corner-seeking traffic."""
    config = ChannelConfig(tenants=4, lateness=lateness, grant_interval=interval)
    write_case(random_case(config, seed=seed, clocks=CLOCKS), tmp_path / "w.vcd")
    assert violations(tmp_path / "w.vcd") == []


def test_a_disabled_tenant_that_drains_slowly_is_not_over_age(tmp_path):
    """Its queue goes by an age of its own, whatever its limit was."""
    write_case(random_case(COMPACT, seed=19, clocks=CLOCKS), tmp_path / "w.vcd")
    assert violations(tmp_path / "w.vcd") == []


@pytest.mark.parametrize(
    ("name", "rule", "seed"),
    [
        ("ties go to the higher tenant", Rule.WRONG_ORDER, 1),
        ("a request behind a stale one goes on from its tags", Rule.TAG_WINDOW, 6),
        ("a head that enters begins in the clock after a grant", Rule.TAG_PRICE, 2),
        ("a grant is made a clock early", Rule.SPACING, 1),
        ("beats of a visit forget a grant that came meanwhile", Rule.TOKENS, 1),
        ("a refill is a clock short", Rule.TOKENS, 1),
    ],
)
def test_a_mistake_of_the_compact_arbiter_is_named(name, rule, seed, tmp_path):
    bugs = COMPACT_HARDWARE_BUGS
    library = planted_hardware.planted_library(COMPACT, tuple(bugs.values()))
    with planted_hardware.live_bug(list(bugs).index(name)):
        case = random_case(COMPACT, seed=seed, clocks=CLOCKS)
        write_case_of_hardware(case, library, tmp_path / "w.vcd")
    assert rule in {each.rule for each in violations(tmp_path / "w.vcd")}


@pytest.mark.parametrize("arbiter", [each for each in ArbiterKind if each is not ArbiterKind.MCOS])
def test_other_arbiters_are_held_to_what_they_promise(arbiter, tmp_path):
    case = random_case(CONFIG, arbiter=arbiter, seed=4, clocks=CLOCKS)
    write_case(case, tmp_path / "w.vcd")
    waveform = read_waveform(tmp_path / "w.vcd")
    assert waveform.arbiter is arbiter
    assert check_waveform(waveform) == ([], 0)


def test_nothing_is_wrong_where_tags_wrap(tmp_path):
    write_case(wrapping_case(), tmp_path / "w.vcd")
    waveform = read_waveform(tmp_path / "w.vcd")
    time = waveform.channel["virtual_time"]
    assert np.count_nonzero(np.diff(time) < 0) >= 2
    assert check_waveform(waveform) == ([], 0)


def test_nothing_is_wrong_where_a_tenant_starves(tmp_path):
    write_case(starving_case(), tmp_path / "w.vcd")
    waveform = read_waveform(tmp_path / "w.vcd")
    granted = waveform.channel["granted"] == 1
    fourth = granted & (waveform.channel["tenant"] == 3)
    assert 0 < fourth.sum() <= granted.sum() / 12
    assert (waveform.channel["promoted"][fourth][1:] == 1).all()
    assert check_waveform(waveform) == ([], 0)


def test_nothing_is_wrong_where_heads_are_promoted(tmp_path):
    write_case(wrapping_case(age_limit=16), tmp_path / "w.vcd")
    waveform = read_waveform(tmp_path / "w.vcd")
    promoted = (waveform.channel["promoted"] == 1).sum()
    grants = (waveform.channel["granted"] == 1).sum()
    assert grants // 24 <= promoted <= grants // 16 + 1
    assert check_waveform(waveform) == ([], 0)


def cases_for(rule: Rule) -> Iterator[Case]:
    """Cases in which its mistake should show itself."""
    if rule is Rule.NO_WRAP:
        yield wrapping_case()
    elif rule is Rule.PROMOTION:
        yield wrapping_case(age_limit=16)
    elif rule is Rule.AGE_GUARD:
        yield starving_case()
    else:
        for seed in (LIKELY.get(rule, 1), *SEEDS):
            yield random_case(CONFIG, seed=seed, clocks=CLOCKS)


@pytest.mark.slow
@pytest.mark.parametrize("rule", WAVEFORM_BUGS, ids=lambda rule: rule.text)
def test_a_mistake_in_the_hardware_is_named(rule, tmp_path):
    """Before its consequences are: the first violation of a case names it."""
    first = set()
    for case in cases_for(rule):
        with live_bug(rule):
            write_case_of_hardware(case, planted_library(CONFIG), tmp_path / "w.vcd")
        found = violations(tmp_path / "w.vcd")
        first |= {each.rule for each in found[:1]}
        if rule in first:
            assert found[0].clock < case.scenario.clocks
            return
    pytest.fail(f"none of the cases names it; they name {sorted(each.text for each in first)}")


@pytest.mark.slow
def test_a_mistake_that_is_not_live_does_nothing(tmp_path):
    case = random_case(CONFIG, seed=1, clocks=CLOCKS)
    write_case_of_hardware(case, planted_library(CONFIG), tmp_path / "w.vcd")
    assert violations(tmp_path / "w.vcd") == []


def test_every_rule_says_what_it_claims():
    assert set(CLAIMS) == set(Rule)


def test_the_page_has_every_rule():
    page = (Path(__file__).parents[3] / "docs" / "waveforms.md").read_text(encoding="utf-8")
    for rule, claim in CLAIMS.items():
        assert f"| {rule.text} | {claim} |" in page
