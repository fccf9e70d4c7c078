"""Plans of traffic: files, options, defaults, and what each of them says of whom."""

from pathlib import Path

import pytest

from mcos_hw.config import ChannelConfig
from mcos_policy.compiler import Compiled, compile_contract
from mcos_policy.diagnostics import ContractError
from mcos_policy.plain import PlainDocument
from mcos_policy.reading import Reader
from mcos_policy.samples import SAMPLES
from mcos_sim.errors import UserError
from mcos_sim.traffic.pattern import PATTERNS, Backlogged, Closed, Idle, Steady
from mcos_sim.traffic.plan import STAGGER, plan_traffic


@pytest.fixture(scope="module")
def compiled() -> Compiled:
    return compile_contract(SAMPLES["decode-prefill"], ChannelConfig())


def planned(compiled: Compiled, *options: str, file: Path | None = None, run_clocks=100_000):
    plan = plan_traffic(compiled, file=file, options=options, run_clocks=run_clocks)
    return plan, {each.tenant.name: each for each in plan.asking}


def test_by_default_objectives_ask_at_their_guarantee_and_others_are_backlogged(compiled):
    plan, asking = planned(compiled)
    assert plan.kind == "default"
    assert isinstance(asking["prefill"].pattern, Backlogged)
    for index, name in enumerate(("decode-a", "decode-b", "decode-c"), start=1):
        assert asking[name].pattern == Steady()
        assert asking[name].start == STAGGER * index
    assert plan.sentence() == (
        "default traffic: prefill: backlogged; decode-a, decode-b, decode-c: steady at the "
        "guarantee"
    )


def test_it_is_said_when_nobody_is_backlogged(compiled):
    assert "no tenant is backlogged" not in planned(compiled)[0].sentence()
    assert (
        planned(compiled, "prefill=idle")[0]
        .sentence()
        .endswith("; no tenant is backlogged, so the channel may idle")
    )


@pytest.mark.parametrize(
    ("count", "told"), [(4, "a, b, c, d: backlogged"), (5, "all 5 tenants: backlogged")]
)
def test_many_that_ask_for_the_same_are_not_named(count, told, tmp_path):
    file = tmp_path / "c.toml"
    tenant = '[[tenant]]\nname = "{}"\n[tenant.bandwidth]\nguaranteed = "0 GB/s"\n'
    tenants = "".join(tenant.format(name) for name in "abcde"[:count])
    file.write_text(f"[fabric]\nchannels = 1\n{tenants}")
    plan, _ = planned(compile_contract(file, ChannelConfig()))
    assert plan.sentence() == f"default traffic: {told}"


def test_an_option_goes_before_the_file_and_the_file_before_its_default(compiled, tmp_path):
    file = tmp_path / "t.toml"
    file.write_text(
        '[traffic]\npattern = "idle"\n[traffic.decode-a]\npattern = "backlogged"\n'
        '[traffic.decode-b]\npattern = "closed"\nwindow = 3\n'
    )
    plan, asking = planned(compiled, "decode-b=closed:window=4", file=file)
    assert plan.kind == "file"
    assert asking["prefill"].pattern == Idle()
    assert asking["decode-a"].pattern == Backlogged()
    assert asking["decode-b"].pattern == Closed(window=4)
    assert asking["decode-c"].pattern == Idle()


def test_an_option_takes_every_key(compiled):
    option = "decode-a=closed:window=16,think=1us,step=64 KiB,request=128B+512B,write_share=0.5"
    _, asking = planned(compiled, option + ",start=1 us,stop=2us")
    pattern = asking["decode-a"].pattern
    assert pattern.window == 16
    assert pattern.request == (128, 512)
    assert pattern.write_share == 0.5
    assert asking["decode-a"].start == 800
    assert pattern.words == (
        "closed loop: 16 outstanding, steps of 64 KiB, 1 us of thinking, requests of 128 B or "
        "512 B, 50 % writes from 1 us until 2 us"
    )


@pytest.mark.parametrize("start", ["125 us", "124.999 us"])
def test_a_tenant_begins_before_the_run_ends(compiled, start):
    """100,000 clocks are 125 us."""
    option = f"decode-a=steady:start={start}"
    if start == "125 us":
        with pytest.raises(ContractError, match="start must be before the run ends, after 125 us"):
            planned(compiled, option)
    else:
        planned(compiled, option)


@pytest.mark.parametrize("window", [4095, 4096])
def test_a_window_has_no_more_requests_than_there_are_ids(compiled, window):
    option = f"decode-a=closed:window={window}"
    if window == 4096:
        with pytest.raises(ContractError, match=r"window must be an integer in 1\.\.4095"):
            planned(compiled, option)
    else:
        planned(compiled, option)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("decode-a",), "must be NAME=PATTERN:key=value,key=value, not 'decode-a'"),
        (("=idle",), "must be NAME=PATTERN"),
        (("decode-a=",), "must be NAME=PATTERN"),
        (("decode-a=closed:window",), "must have key=value after the pattern, not 'window'"),
        (("decode-a=closed:=3",), "must have key=value after the pattern"),
        (("decode-a=idle", "decode-a=idle"), "must be given once for 'decode-a', not twice"),
    ],
)
def test_an_option_of_another_form_is_refused(compiled, options, says):
    with pytest.raises(UserError, match=says):
        planned(compiled, *options)


def test_all_idle_is_refused(compiled, tmp_path):
    file = tmp_path / "t.toml"
    file.write_text('[traffic]\npattern = "idle"\n')
    with pytest.raises(UserError, match="a tenant must ask for something, and all are idle"):
        planned(compiled, file=file)
    planned(compiled, "prefill=backlogged", file=file)


def test_everything_wrong_is_told_at_once(compiled, tmp_path):
    file = tmp_path / "t.toml"
    file.write_text(
        '[traffic.decode-a]\npattern = "stedy"\n[traffic.decode-b]\npattern = "closed"\n'
        '[traffic.nobody]\npattern = "idle"\n'
    )
    with pytest.raises(ContractError) as caught:
        planned(compiled, "prefill=steady:rate=fast", "prefil=idle", file=file)
    told = [str(each) for each in caught.value.diagnostics]
    assert len(told) == 5
    assert [line.split(": error")[0].removeprefix(str(file)) for line in told] == [
        "--traffic-of prefil=idle",
        "--traffic-of prefill=steady:rate=fast",
        ":2:11",
        ":3:2",
        ":5:2",
    ]
    assert any("did you mean prefill?" in line for line in told)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_pattern_has_words(pattern):
    needed = {
        "closed": {"window": 3},
        "on-off": {"rate": "1 GB/s", "on": "1 us", "off": "1 us"},
        "trace": {"file": "x.csv"},
    }
    document = PlainDocument({"pattern": pattern, **needed.get(pattern, {})})
    found = Reader(document, noun="a pattern").read(PATTERNS[pattern], ())
    assert found is not None
    assert found.words
    assert "\n" not in found.words
