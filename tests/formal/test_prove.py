"""Properties that take seconds, and the prover itself on claims that are wrong or say nothing."""

import dataclasses
import json

import pytest
from amaranth import *
from amaranth.hdl import Assert, Cover

from mcos_hw.channel.recent import RecentResponses
from mcos_hw.config import ChannelConfig
from tests.formal import prove as command
from tests.formal.engine import prove
from tests.formal.property import Harness, Method, Property
from tests.planted import Bug

PROPERTIES = command.properties()


CASES = [
    pytest.param(each, id=each.name, marks=[pytest.mark.soak] if each.slow else [])
    for each in PROPERTIES
]


@pytest.mark.parametrize("proved", CASES)
def test_property_holds_and_sees_its_planted_bug(proved, tmp_path):
    verdict = prove(proved, tmp_path)
    assert verdict.passed, f"{proved.name} fails"
    assert verdict.cover_reached, f"{proved.name} says nothing: its cover is not reached"
    assert verdict.planted_bug_caught, f"{proved.name} does not see its planted bug"


def test_default_configuration_is_among_the_proved_ones():
    assert ChannelConfig() in [each.config for each in PROPERTIES if not each.slow]


class QuietHarness(Harness):
    """With no response ever, nobody is recent."""

    def elaborate(self, platform):
        m = Module()
        block = RecentResponses(self.config)
        self.prove(m, block)
        m.d.comb += [Assert(block.served.valid | (block.recent == 0)), Cover(block.served.valid)]
        return m


class UnreachedHarness(Harness):
    """Claims nothing about what never happens."""

    def elaborate(self, platform):
        m = Module()
        block = RecentResponses(self.config)
        self.prove(m, block)
        never = Signal()
        m.d.sync += never.eq(never)
        m.d.comb += [Assert(~never), Cover(never)]
        return m


WRONG = Property(
    name="recent.wrong",
    claim="Whoever is recent has a response in this clock, which is not so.",
    block="mcos_hw.channel.recent.RecentResponses",
    config=ChannelConfig(tenants=4),
    harness=QuietHarness,
    method=Method.BOUNDED,
    depth=4,
    bug=Bug(module="mcos_hw.channel.recent", text="since.eq(1)", instead="since.eq(2)"),
    reach=3,
)


def test_a_wrong_claim_fails_and_leaves_its_trace(tmp_path):
    verdict = prove(WRONG, tmp_path, traces=True)
    assert not verdict.passed
    assert (tmp_path / "recent.wrong" / "base.vcd").exists()


def test_a_claim_without_a_case_is_told(tmp_path):
    idle = dataclasses.replace(WRONG, harness=UnreachedHarness)
    verdict = prove(idle, tmp_path)
    assert verdict.passed
    assert not verdict.cover_reached
    assert not verdict.planted_bug_caught
    assert not verdict.good


def test_a_claim_that_only_begins_well_fails_its_induction(tmp_path):
    """Responses are possible from the start, so only the first clock is without."""
    early = dataclasses.replace(WRONG, method=Method.INDUCTION, depth=0)
    verdict = prove(early, tmp_path)
    assert "PASSED" in (tmp_path / "recent.wrong" / "base.log").read_text()
    assert not verdict.passed


def test_a_bug_is_gone_after_its_run():
    code = RecentResponses.elaborate.__code__
    with WRONG.bug.planted():
        assert RecentResponses.elaborate.__code__ is not code
    assert RecentResponses.elaborate.__code__ is code


@pytest.mark.parametrize(("text", "times"), [("no such text", 0), ("0x1FF", 2)])
def test_a_bug_must_have_one_place(text, times):
    bug = dataclasses.replace(WRONG.bug, text=text)
    with (
        pytest.raises(ValueError, match=f"must stand once in .*, not {times} times: '{text}'"),
        bug.planted(),
    ):
        pass


def test_command_writes_what_it_found(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "properties", lambda: [WRONG])
    assert command.main(["--folder", str(tmp_path)]) == 1
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["config_hash"] == ChannelConfig().hash
    (row,) = result["properties"]
    assert (row["name"], row["method"], row["depth"]) == ("recent.wrong", "bmc", 4)
    assert (row["passed"], row["cover_reached"]) == (False, True)
    assert row["tenants"] == 4


def test_command_names_the_properties_it_knows(capsys):
    with pytest.raises(SystemExit):
        command.main(["no such name"])
    assert PROPERTIES[0].name in capsys.readouterr().err
