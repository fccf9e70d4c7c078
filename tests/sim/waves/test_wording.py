"""What is said of a violation: names, units, and two values that differ in print."""

import dataclasses
import json
import re
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_sim.lockstep.case import random_case
from mcos_sim.waves.reading import read_waveform
from mcos_sim.waves.rules import Quantity, Rule, Violation, Wording, check_waveform
from mcos_sim.waves.rules.amounts import amount, amounts
from tests.sim.commands.command_line import run_command
from tests.sim.waves.windows import write_case

CONFIG = ChannelConfig(tenants=4)

NAMES = {0: "prefill", 1: "chat", 2: "search", 3: "port"}

UNIT = 1 << 16
"""A byte of a bucket's level, a byte over weight of a tag."""


@pytest.fixture(scope="module")
def waveform(tmp_path_factory):
    path = tmp_path_factory.mktemp("wording") / "w.vcd"
    write_case(random_case(CONFIG, seed=4, clocks=1_500), path)
    return dataclasses.replace(read_waveform(path), names=NAMES)


CONSTRUCTED = [
    (Rule.WRONG_ORDER, Quantity.CLASS, 2, 0, "class scavenged", "class conforming"),
    (Rule.WRONG_ORDER, Quantity.CLASS, 4, 1, "class new in an empty queue", "class burst"),
    (Rule.WRONG_ORDER, Quantity.PRIORITY, 2, 0, "priority 2", "priority 0"),
    (Rule.WRONG_ORDER, Quantity.TAG, 3, 1, "tag 3", "tag 1"),
    (Rule.WRONG_ORDER, Quantity.ELIGIBILITY, 70 * UNIT, 3 * UNIT, "S 0x460000", "S 0x30000"),
    (Rule.WRONG_ORDER, Quantity.ELIGIBILITY, 5, 5, "no candidate", "a candidate"),
    (Rule.WRONG_ORDER, Quantity.START, 7, 6, "S 0x7", "S 0x6"),
    (Rule.WRONG_ORDER, Quantity.FINISH, 7, 6, "F 0x7", "F 0x6"),
    (Rule.NO_WRAP, Quantity.START, 1, (1 << 28) - 1, "S 0x1", "S 0xfffffff"),
    (Rule.NO_WRAP, Quantity.FINISH, 1, (1 << 28) - 1, "F 0x1", "F 0xfffffff"),
    (Rule.CLOSED, Quantity.GRANT, 0, 1, "a grant of", "no grant"),
    (Rule.PACE, Quantity.DEBT, 64 * UNIT, 64 * UNIT, "64 B", "less than 64 B"),
    (Rule.SPACING, Quantity.SPACING, 5, 6, "5 clocks", "at least 6 clocks"),
    (Rule.NO_CREDIT, Quantity.IN_FLIGHT, 8_705, 8_704, "8,705 B", "at most 8,704 B"),
    (Rule.NOT_SERVICEABLE, Quantity.CLASS, 3, 3, "not serviceable (none)", "serviceable"),
    (Rule.IDLE, Quantity.GRANT, 0, 1, "no grant", "a grant"),
    (Rule.WRONG_CLASS, Quantity.CLASS, 1, 0, "burst", "conforming"),
    (Rule.GRANTED_CLASS, Quantity.CLASS, 0, 2, "conforming", "scavenged"),
    (Rule.NOT_CHARGED, Quantity.COMMITTED, 512 * UNIT, 0, "512 B", "0 B"),
    (Rule.CHARGED_TWICE, Quantity.PEAK, -512 * UNIT, 0, "-512 B", "0 B"),
    (Rule.TOKENS, Quantity.COMMITTED, 1_000 * UNIT + 1, 1_000 * UNIT, "1,000.0000", "1,000 B"),
    (Rule.TOKENS, Quantity.PEAK, 3 * UNIT // 2, UNIT, "1.5 B", "1 B"),
    (Rule.HALF_COMMIT, Quantity.COMMITTED, 2 * UNIT, 3 * UNIT, "2 B", "3 B"),
    (Rule.TAG_MOVED, Quantity.START, 9, 8, "0x9", "0x8"),
    (Rule.TAG_MOVED, Quantity.FINISH, 8, 9, "0x8", "0x9"),
    (Rule.TAG_MOVED, Quantity.VIRTUAL_TIME, 8, 9, "0x8", "0x9"),
    (Rule.TAG_START, Quantity.START, 8, 9, "0x8", "0x9"),
    (Rule.TAG_PRICE, Quantity.PRICE, 32 * UNIT, 512 * UNIT, "32 B/weight", "512 B/weight"),
    (Rule.TAG_PRICE, Quantity.PRICE, 1, 0, "0.00002 B/weight", "0 B/weight"),
    (Rule.TAG_WINDOW, Quantity.LEAD, 1 << 26, 1 << 26, "1,024 B/weight", "less than 1,024"),
    (Rule.TIME_BACK, Quantity.VIRTUAL_TIME, 8, 9, "0x8", "0x9"),
    (Rule.AGE_GUARD, Quantity.AGE, 1_024, 1_024, "1,024 clocks", "a promotion after 1,024"),
    (Rule.NOT_OVER_AGE, Quantity.AGE, 7, 1_024, "7 clocks", "at least 1,024 clocks"),
    (Rule.NOT_OVER_AGE, Quantity.AGE, 7, -4, "7 clocks", "no promotion"),
    (Rule.PROMOTION, Quantity.GRANTS, 7, 16, "7 grants", "at least 16 grants"),
    (Rule.STUCK, Quantity.REQUESTS, 3, 0, "3 requests queued and no head", "a head"),
    (Rule.STUCK, Quantity.SERVICEABLE, 0, 1, "not serviceable", "serviceable"),
    (Rule.STUCK, Quantity.SERVICEABLE, 1, 3, "serviceable", "not serviceable"),
    (Rule.OVERFLOW, Quantity.REQUESTS, 17, 16, "17 requests", "at most 16 requests"),
    (Rule.LOST_REQUEST, Quantity.REQUESTS, 2, 3, "2 requests", "3 requests"),
    (Rule.LOST_REQUEST, Quantity.ADDRESS, 64, 32, "address 0x40", "address 0x20"),
    (Rule.DOUBLE_GRANT, Quantity.REQUESTS, 3, 2, "3 requests", "2 requests"),
    (Rule.DOUBLE_GRANT, Quantity.ADDRESS, 64, 32, "address 0x40", "address 0x20"),
    (Rule.DOUBLE_GRANT, Quantity.UNASKED, 64, 0, "a command at address 0x40", "no command"),
    (Rule.WRONG_COMMAND, Quantity.ADDRESS, 64, 32, "address 0x40", "address 0x20"),
    (Rule.WRONG_COMMAND, Quantity.UNGRANTED, 4, 0, "a command of 128 B", "no command"),
    (Rule.WRONG_COMMAND, Quantity.COMMAND_TENANT, 1, 2, "tenant chat", "tenant search"),
    (Rule.WRONG_COMMAND, Quantity.GRANTED_BEATS, 16, 15, "16 beats", "15 beats"),
    (Rule.WRONG_COMMAND, Quantity.COMMAND_BEATS, 16, 15, "16 beats", "15 beats"),
    (Rule.WRONG_COMMAND, Quantity.COMMAND_OP, 0, 1, "direction read", "direction write"),
    (Rule.WRONG_COMMAND, Quantity.COMMAND_CLOCKS, 0, 1, "0 clocks", "at least 1 clock"),
    (Rule.SLOT, Quantity.SLOT, 5, -1, "slot 5", "a free slot"),
    (Rule.SLOT, Quantity.SLOTS, 513, 512, "513 slots in use", "at most 512 slots"),
    (Rule.LOST_RESPONSE, Quantity.OWED, 5, 0, "5 completions", "a response for each"),
    (Rule.DOUBLE_RESPONSE, Quantity.OWED, -5, 0, "5 responses", "a completion for each"),
    (Rule.DOUBLE_RESPONSE, Quantity.REQUEST_ID, 7, 0, "id 7 answered again", "one response"),
    (Rule.WRONG_RESPONSE, Quantity.REQUEST_ID, 7, 9, "id 7", "id 9"),
    (Rule.WRONG_RESPONSE, Quantity.ANSWERED_TENANT, 7, 7, "chat's id 7", "search's id 7"),
    (Rule.WRONG_RESPONSE, Quantity.ANSWERED_TENANT, 7, -1, "chat's id 7", "a request of search"),
    (Rule.IN_FLIGHT, Quantity.IN_FLIGHT, 1_024, 512, "1,024 B", "512 B"),
    (Rule.CREDIT, Quantity.IN_FLIGHT, 9_217, 9_216, "9,217 B", "at most 9,216 B"),
    (Rule.DEBT, Quantity.DEBT, UNIT // 2, 0, "0.5 B", "0 B"),
    (Rule.LOAD, Quantity.LOAD, 2, 3, "load 2", "load 3"),
    (Rule.HANDSHAKE, Quantity.OFFER, 64, 64, "", ""),
    (Rule.HANDSHAKE, Quantity.OFFER, -1, 64, "no command", "the command at address 0x40"),
    (Rule.HANDSHAKE, Quantity.TAKEN, 1, 0, "'s command", "no command"),
    (Rule.HANDSHAKE, Quantity.TAKEN, 1, 1, "'s command", "that which chat offers"),
]
"""A value and what was expected of each rule and quantity, and what must stand for them."""

BUCKETS = (Quantity.COMMITTED, Quantity.PEAK)

OF_TWO = (Rule.WRONG_ORDER, Rule.NO_WRAP)

UNITS = {
    "grant": "B",
    "priority": "priority",
    "class": "class|conforming|burst|scavenged|serviceable|B",
    "tenant": "tag",
    "direction": "direction",
}
"""What a sentence must show in place of a unit that is a word of ours."""

OF_THE_CHANNEL = {
    Rule.TIME_BACK,
    Rule.LOST_RESPONSE,
    Rule.IN_FLIGHT,
    Rule.CREDIT,
    Rule.DEBT,
    Rule.LOAD,
}
"""Rules of the whole channel, which has no tenant's name."""


def constructed(waveform, rule, quantity, value, expected) -> Violation:
    """A violation in a clock with an offer that changes behind it, or ends."""
    offered = waveform.events["offer.valid"][500:] == 1
    changes = np.diff(waveform.events["offer.address"][500:]) != 0
    if quantity is Quantity.OFFER and value < 0:
        row = 500 + np.flatnonzero(~offered)[0]
    else:
        row = 500 + np.flatnonzero(offered[1:] & offered[:-1] & changes)[0] + 1
    two = rule in OF_TWO or quantity in (
        Quantity.COMMAND_TENANT,
        Quantity.ANSWERED_TENANT,
        Quantity.SLOT,
    )
    alone = rule in OF_THE_CHANNEL or quantity in (Quantity.VIRTUAL_TIME, Quantity.SLOTS)
    alone |= value == -5 or (quantity is Quantity.TAKEN and not expected)
    return Violation(
        rule=rule,
        clock=int(waveform.clocks[row]),
        tenant=-1 if alone else 1,
        other=2 if two else -1,
        value=value,
        expected=expected,
        quantity=quantity,
    )


@pytest.mark.parametrize(
    ("rule", "quantity", "value", "expected", "there", "asked"),
    CONSTRUCTED,
    ids=[f"{rule.text}-{quantity.text}-{value}" for rule, quantity, value, *_ in CONSTRUCTED],
)
def test_a_violation_says_names_units_and_what_differs(
    waveform, rule, quantity, value, expected, there, asked
):
    violation = constructed(waveform, rule, quantity, value, expected)
    wording = Wording(waveform)
    told = wording.tell(violation)
    sentence = wording.sentence(violation)
    assert there in told.value_text
    assert asked in told.expected_text
    require_words(waveform, violation, told, sentence)


def require_words(waveform, violation, told, sentence):
    assert told.value_text != told.expected_text
    assert sentence.startswith(f"clock {violation.clock} (")
    assert f": {violation.rule.text}: " in sentence
    assert told.value_text in sentence
    assert told.expected_text in sentence
    for tag in (violation.tenant, violation.other):
        assert tag < 0 or waveform.names[tag] in sentence
    units = UNITS.get(violation.quantity.unit, violation.quantity.unit).split("|")
    assert any(unit.rstrip("s") in sentence for unit in units)
    assert not sentence.endswith(".")


def test_every_rule_is_worded():
    assert {rule for rule, *_ in CONSTRUCTED} == set(Rule)
    assert {quantity for _, quantity, *_ in CONSTRUCTED} == set(Quantity)


def test_rules_say_only_what_is_worded(waveform):
    """Waveforms with wrong values somewhere: every violation found is said well."""
    rng = np.random.default_rng(3)
    covered = {(rule, quantity) for rule, quantity, *_ in CONSTRUCTED}
    covered |= {(rule, Quantity.PEAK) for rule, quantity in covered if quantity in BUCKETS}
    seen = Counter()
    for round_ in range(90):
        columns = ("channel", "tenants", "events")[round_ % 3]
        broken = {name: values.copy() for name, values in getattr(waveform, columns).items()}
        # A grant that is made up has no tenant.
        names = sorted(set(broken) - {"granted"})
        name = names[round_ // 3 % len(names)]
        column = broken[name]
        rows = rng.integers(600, 1_400, 4)
        if column.ndim == 2:
            column[rows, 1] ^= 1 << int(rng.integers(0, 2))
        else:
            column[rows] = np.where(column[rows] < 0, column[rows], column[rows] ^ 1)
        changed = dataclasses.replace(waveform, **{columns: broken})
        wording = Wording(changed)
        for violation in check_waveform(changed)[0]:
            assert (violation.rule, violation.quantity) in covered
            require_words(changed, violation, wording.tell(violation), wording.sentence(violation))
            seen[violation.rule] += 1
    assert len(seen) >= 20


def test_an_order_says_who_how_far_and_why(waveform):
    """The sentence of the page, word for word."""
    violation = constructed(waveform, Rule.WRONG_ORDER, Quantity.FINISH, 70 * UNIT, 3 * UNIT)
    assert Wording(waveform).tell(violation).what == (
        "chat is granted with F 0x460000, and must come after search with F 0x30000: that is "
        "67 B/weight earlier"
    )


@pytest.mark.parametrize(
    ("values", "apart", "adds_up", "texts"),
    [
        ((1024.5, 512.5, 1024, 0.5, -512), 2, True, ["1,024.5", "512.5", "1,024", "0.5", "-512"]),
        ((Fraction(1, 3), Fraction(1, 3)), 2, False, ["0.3", "0.3"]),
        ((Fraction(1), 1 + Fraction(1, 65536)), 2, False, ["1", "1.00002"]),
        ((2, Fraction(2, 3), Fraction(1, 3), Fraction(1, 3)), 2, False, ["2", "0.7", "0.3", "0.3"]),
        (
            (2, Fraction(3, 4), Fraction(1, 4), Fraction(1, 2)),
            2,
            True,
            ["2", "0.75", "0.25", "0.5"],
        ),
    ],
)
def test_digits_tell_apart_what_differs(values, apart, adds_up, texts):
    values = [Fraction(each) for each in values]
    assert amounts(values, apart=apart, adds_up=adds_up) == texts


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-1, "-1"),
        (12345, "12,345"),
        (Fraction(-5, 4), "-1.25"),
        (Fraction(1, 8), "0.125"),
    ],
)
def test_an_amount_has_the_digits_it_needs(value, text):
    assert amount(Fraction(value)) == text


def test_a_bucket_says_how_its_level_comes_about(waveform):
    """As docs/waveforms.md shows it; the arithmetic is right in print."""
    c = waveform.channel
    conforming = (c["granted"] == 1) & (c["granted_class"] == 0)
    row = int(np.flatnonzero(conforming)[1])
    tag, size = int(c["tenant"][row]), int(c["beats"][row]) * CONFIG.beat_bytes
    level = waveform.tenants["committed"].astype(np.int64)
    level[row + 1, tag] += size * UNIT
    changed = dataclasses.replace(waveform, tenants={**waveform.tenants, "committed": level})
    clock = int(waveform.clocks[row + 1])
    violation = next(each for each in check_waveform(changed)[0] if each.clock == clock)
    assert violation.rule is Rule.NOT_CHARGED
    sentence = Wording(changed).sentence(violation)
    assert sentence.endswith(" B granted; the bytes granted were not taken")
    numbers = re.findall(r"(-?[\d.]+) B\b", sentence.replace(",", ""))
    there, asked, before, rate, taken = (Fraction(each) for each in numbers)
    assert asked == before + rate - taken
    assert there == before + rate
    assert taken == size


def test_the_command_prints_and_writes_the_same_words(tmp_path, capsys):
    """Under a state with other rates the buckets of a sound waveform are wrong."""
    path = tmp_path / "w.vcd"
    write_case(random_case(CONFIG, seed=4, clocks=1_500), path)
    state = json.loads(path.with_suffix(".json").read_text())
    for image in state["images"]:
        for tenant in image["tenants"]:
            tenant["committed_rate"] = tenant["committed_rate"] * 3 // 4
    path.with_suffix(".json").write_text(json.dumps(state))
    found = tmp_path / "found.json"
    assert run_command("waves", path, "--json", found, "--limit", 10) == 1
    printed = capsys.readouterr()
    result = json.loads(found.read_text())
    assert result["violation_count"] > len(result["violations"]) == 1_000  # of a kind
    assert f"{result['violation_count']:,} violations of the rule tokens" in result["verdict"]
    assert result["verdict"] in printed.out
    told = [row["sentence"] for row in result["violations"]]
    assert [each for each in printed.err.splitlines() if each in told] == told[:10]
    for row in result["violations"]:
        assert row["value_text"] in row["sentence"]
        assert row["expected_text"] in row["sentence"]
        assert row["value_text"] != row["expected_text"]
        assert row["unit"]
        assert isinstance(row["value"], int)
        assert isinstance(row["expected"], int)
