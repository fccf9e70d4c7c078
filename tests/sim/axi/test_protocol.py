"""Every rule of AXI has a run that breaks it and nothing else, and a run that just keeps it."""

import pytest

from mcos_sim.axi.protocol import Protocol, Side
from mcos_sim.axi.rules import Rule

BUS = 8
IDLE = dict.fromkeys(
    [
        *(f"{c}{n}" for c in ("aw", "w", "b", "ar", "r") for n in ("valid", "ready", "id")),
        *(f"{c}{n}" for c in ("aw", "ar") for n in ("addr", "len", "burst", "lock", "cache")),
        *("awprot", "arprot", "awqos", "arqos", "wdata", "wstrb", "wlast"),
        *("bresp", "rdata", "rresp", "rlast"),
    ],
    0,
) | {"awsize": 3, "arsize": 3, "awburst": 1, "arburst": 1}


def takes(channel, **payload):
    """A channel's payload crosses in this clock."""
    return offers(channel, **payload) | {f"{channel}ready": 1}


def offers(channel, **payload):
    named = {f"{channel}{name}": value for name, value in payload.items()}
    return named | {f"{channel}valid": 1}


def beat(last=0, **payload):
    return takes("w", last=last, strb=payload.pop("strb", 0xFF), **payload)


def watch(rows, *, resets=0, end=False, **options):
    """Rules that a run breaks, in order."""
    found = []
    protocol = Protocol("s00_axi", data_bytes=BUS, on_violation=found.append, **options)
    for k, row in enumerate(rows):
        if k < resets:
            protocol.reset(IDLE | row)
        else:
            protocol.clock(IDLE | row)
    if end:
        protocol.end()
    return [violation.rule for violation in found]


READ = [takes("ar", id=1), takes("r", id=1, last=1)]
WRITE = [takes("aw", id=1), beat(last=1), takes("b", id=1)]

KEPT = {
    "a read": READ,
    "a write": WRITE,
    "data before their address": [beat(), beat(last=1), takes("aw", len=1), takes("b")],
    "data with their address": [takes("aw") | beat(last=1), takes("b")],
    "an answer with the next address": [takes("aw"), beat(last=1), takes("aw") | takes("b")],
    "reads in between each other": [
        *(takes("ar", id=id_, len=1) for id_ in (1, 2)),
        *(takes("r", id=id_, last=last) for last in (0, 1) for id_ in (2, 1)),
    ],
    "writes answered in another order": [
        *(takes("aw", id=id_) for id_ in (1, 2)),
        *(beat(last=1), beat(last=1), takes("b", id=2), takes("b", id=1)),
    ],
    "waiting": [offers("ar", addr=64), offers("ar", addr=64), takes("ar", addr=64)],
    "up to a page's end": [takes("ar", addr=4096 - 16, len=1)],
    "wrapped within a page": [takes("ar", addr=4096 - 8, len=3, burst=2)],
    "fixed, and unaligned": [takes("ar", addr=4096 - 3, len=15, burst=0)],
    "unaligned lanes": [takes("aw", addr=3, len=1), beat(strb=0xF8), beat(last=1)],
    "narrow lanes": [
        takes("aw", addr=6, len=1, size=1),
        *(beat(strb=0xC0), beat(strb=0x03, last=1)),
    ],
    "wrapped lanes": [
        takes("aw", addr=14, len=1, size=1, burst=2),
        *(beat(strb=0xC0), beat(strb=0x30, last=1)),
    ],
    "an exclusive read": [takes("ar", lock=1), takes("r", last=1, resp=1)],
    "the same ID again": [*READ, *READ],
}

BROKEN = {
    Rule.STABLE_AW: [offers("aw", addr=64), takes("aw", addr=128)],
    Rule.STABLE_W: [offers("w", data=1), {}],
    Rule.STABLE_B: [*WRITE[:2], offers("b", id=1), takes("b", id=1, resp=2)],
    Rule.STABLE_AR: [offers("ar", qos=1), takes("ar", qos=2)],
    Rule.STABLE_R: [READ[0], offers("r", id=1, data=1), takes("r", id=1, data=2, last=1)],
    Rule.SIZE: [takes("ar", size=4)],
    Rule.BURST_CODE: [takes("aw", burst=3)],
    Rule.LONG_FIXED: [takes("ar", len=16, burst=0)],
    Rule.WRAP_LENGTH: [takes("ar", len=2, burst=2)],
    Rule.WRAP_ADDRESS: [takes("ar", addr=4, len=3, burst=2)],
    Rule.CROSSES: [takes("aw", addr=4096 - 16, len=2)],
    Rule.WLAST: [takes("aw", len=1), beat(last=1), beat(last=1)],
    Rule.STROBE: [takes("aw", addr=3), beat(strb=0xFC, last=1)],
    Rule.RLAST: [takes("ar", len=1), takes("r"), takes("r")],
    Rule.READ_UNASKED: [takes("ar", id=1), takes("r", id=2, last=1)],
    Rule.WRITE_UNASKED: [*WRITE, takes("b", id=1)],
    Rule.WRITE_EARLY: [takes("aw"), beat(last=1) | takes("b")],
    Rule.EXCLUSIVE: [READ[0], takes("r", id=1, last=1, resp=1)],
}
OTHERWISE_BROKEN = {
    Rule.LONG_AXI3: ([takes("ar", len=16)], {"axi3": True}),
    Rule.WID: ([takes("aw", id=1), beat(last=1, id=2)], {"axi3": True}),
    Rule.ID_REUSED: ([takes("aw", id=1), takes("ar", id=1)], {"unique_ids": True}),
    Rule.UNANSWERED: ([takes("ar")], {"end": True}),
    Rule.RESET: ([offers("aw")], {"resets": 1}),
}

MANAGERS = {
    *(Rule.STABLE_AW, Rule.STABLE_W, Rule.STABLE_AR, Rule.SIZE, Rule.BURST_CODE, Rule.LONG_FIXED),
    *(Rule.WRAP_LENGTH, Rule.WRAP_ADDRESS, Rule.CROSSES, Rule.WLAST, Rule.STROBE),
}
"""Rules that a manager breaks; of ``BROKEN``."""


@pytest.mark.parametrize("name", KEPT)
def test_what_axi_allows_passes(name):
    assert watch(KEPT[name], unique_ids=True) == []


@pytest.mark.parametrize("rule", BROKEN, ids=lambda rule: rule.name.lower())
def test_a_broken_rule_is_named(rule):
    assert watch(BROKEN[rule]) == [rule]


@pytest.mark.parametrize("rule", OTHERWISE_BROKEN, ids=lambda rule: rule.name.lower())
def test_a_rule_of_some_interfaces_is_named(rule):
    rows, options = OTHERWISE_BROKEN[rule]
    assert watch(rows, **options) == [rule]
    assert watch(rows) == []


def test_every_rule_is_broken_once():
    assert BROKEN.keys() | OTHERWISE_BROKEN.keys() == set(Rule)


@pytest.mark.parametrize("rule", BROKEN, ids=lambda rule: rule.name.lower())
def test_one_side_alone_is_judged(rule):
    owner = Side.MANAGER if rule in MANAGERS else Side.SUBORDINATE
    assert watch(BROKEN[rule], side=owner) == [rule]
    assert watch(BROKEN[rule], side=~owner) == []


def test_a_reset_forgets_what_was_under_way():
    protocol = Protocol("m00_axi", data_bytes=BUS, on_violation=pytest.fail)
    protocol.clock(IDLE | takes("ar", id=3))
    assert protocol.outstanding == 1
    protocol.reset(IDLE)
    protocol.end()
    assert (protocol.outstanding, protocol.bursts, protocol.clocks) == (0, 1, 2)


def test_a_violation_names_interface_clock_rule_and_value():
    found = []
    protocol = Protocol("m00_axi", data_bytes=BUS, on_violation=found.append)
    protocol.clock(IDLE)
    protocol.clock(IDLE | takes("ar", addr=4092, len=1))
    assert [str(each) for each in found] == [
        "clock 1: m00_axi: a burst must not cross a boundary of 4 KB (0xffc)"
    ]
