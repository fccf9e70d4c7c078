# amaranth: UnusedElaboratable=no
"""Classes of requests by what covers them."""

import random

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.classes import HeadClasses, class_of
from mcos_hw.config import ChannelConfig
from mcos_hw.link.classes import NO_CLASS
from mcos_hw.registers import GrantClass
from tests.hw.channel.bench import simulate

TENANTS = 4
SWITCHES = ("enable", "work_conserving", "refuse_outside")
MEMBERS = {
    "tenants": "live.tenants",
    "heads": "view.heads",
    "nexts": "view.nexts",
    "committed_beats": "tokens.committed_beats",
    "peak_beats": "tokens.peak_beats",
    "conforming": "grant.conforming",
    "burst": "grant.burst",
    "granted": "grant.tenants",
    "approach": "arrival.approach",
    "entry": "arrival.entry",
}


ASKED = MEMBERS.keys() - {"nexts", "approach", "entry", "conforming", "burst"}
"""What those ask for that look at heads only."""


class Classes(wiring.Component):
    committed_covers: In(1)
    peak_covers: In(1)
    work_conserving: In(1)
    class_code: Out(2)

    def elaborate(self, platform):
        m = Module()
        code = class_of(self.committed_covers, self.peak_covers, self.work_conserving)
        m.d.comb += self.class_code.eq(code)
        return m


@pytest.mark.parametrize(
    ("committed_covers", "peak_covers", "work_conserving", "class_code"),
    [
        (1, 1, 1, GrantClass.CONFORMING),
        (1, 0, 0, GrantClass.CONFORMING),
        (0, 1, 1, GrantClass.BURST),
        (0, 1, 0, GrantClass.BURST),
        (0, 0, 1, GrantClass.SCAVENGED),
        (0, 0, 0, NO_CLASS),
    ],
)
def test_the_class_of_a_request(committed_covers, peak_covers, work_conserving, class_code):
    async def testbench(bench):
        bench.set(
            committed_covers=committed_covers,
            peak_covers=peak_covers,
            work_conserving=work_conserving,
        )
        assert bench.get("class_code") == class_code

    simulate(Classes(), testbench)


def expected_code(given, i, request, *, charged):
    """The class of a request, if the charges of a grant of the head come before it, or none do."""
    head = given["heads"][i]["beats"]
    conforming, burst = (given[name] >> i & 1 for name in ("conforming", "burst"))
    charges = {"committed": conforming, "peak": conforming | burst}
    contract = given["tenants"][i]

    def covered(name):
        taken = head * (charged and charges[name])
        return given[f"{name}_beats"][i] >= request["beats"] + taken

    if contract["refuse_outside"] and request["outside"]:
        return NO_CLASS
    if covered("committed"):
        return GrantClass.CONFORMING
    if covered("peak"):
        return GrantClass.BURST
    scavenges = contract["work_conserving"] or not contract["enable"]
    return GrantClass.SCAVENGED if scavenges else NO_CLASS


def random_inputs(rng):
    """Tokens near the sizes that they have to cover."""

    def request():
        return {"beats": rng.choice((1, 2, 15, 16)), "outside": rng.randrange(2)}

    def bits():
        return rng.getrandbits(TENANTS)

    places = [[{"present": rng.randrange(2), **request()} for _ in range(TENANTS)] for _ in "12"]
    tokens = [[rng.choice((0, 1, 2, 3, 15, 16, 17, 18, 32)) for _ in places[0]] for _ in "12"]
    return {
        **dict(zip(("heads", "nexts"), places, strict=True)),
        **dict(zip(("committed_beats", "peak_beats"), tokens, strict=True)),
        **{name: bits() for name in ("conforming", "burst")},
        "tenants": [{name: rng.randrange(2) for name in SWITCHES} for _ in places[0]],
        "granted": rng.choice((0, 1 << rng.randrange(TENANTS))),
        "entry": {"tenants": 1 << rng.randrange(TENANTS), **request()},
        "approach": {"tenants": 1 << rng.randrange(TENANTS), **request()},
    }


@pytest.mark.parametrize("lateness", [0, 3])
def test_heads_and_next_requests_have_the_class_of_what_covers_them(lateness):
    rng = random.Random(1)
    config = ChannelConfig(tenants=TENANTS, lateness=lateness)

    async def testbench(bench):
        before = None
        for _ in range(400):
            given = random_inputs(rng)
            bench.set(**{MEMBERS[name]: value for name, value in given.items()})
            codes, serviceable, held = (
                bench.get(f"classes.{name}") for name in ("codes", "serviceable", "held")
            )
            for i in range(TENANTS):
                head, following = given["heads"][i], given["nexts"][i]
                assert held >> i & 1 == (head["present"] and codes[i] == NO_CLASS)
                assert serviceable >> i & 1 == (head["present"] and codes[i] != NO_CLASS)
                if given["granted"] >> i & 1 and following["present"]:
                    code = expected_code(given, i, following, charged=1)
                    assert bench.get("classes.next_code") == code
                if not lateness:
                    first = head if head["present"] else given["entry"]
                    assert codes[i] == expected_code(given, i, first, charged=0)
                elif before is not None:
                    assert codes[i] == before[i]
            before = [registered_code(given, i) for i in range(TENANTS)]
            await bench.tick()

    simulate(HeadClasses(config), testbench)


def test_heads_only_have_a_class_from_their_second_clock_on():
    """By the tokens of the clock before; without one they are not held."""
    rng = random.Random(1)
    config = ChannelConfig(tenants=TENANTS, lateness=0, grant_interval=4)

    async def testbench(bench):
        expected = None
        for _ in range(400):
            given = random_inputs(rng)
            bench.set(**{MEMBERS[name]: value for name, value in given.items() if name in ASKED})
            if expected is not None:
                codes, stayed = expected
                assert bench.get("classes.codes") == codes
                held = [stays and code == NO_CLASS for stays, code in both(stayed, codes)]
                serviceable = [stays and code != NO_CLASS for stays, code in both(stayed, codes)]
                assert bench.get("classes.held") == number_of(held)
                assert bench.get("classes.serviceable") == number_of(serviceable)
            stayed = [
                bool(head["present"] and not given["granted"] >> i & 1)
                for i, head in enumerate(given["heads"])
            ]
            codes = [
                expected_code(given, i, head, charged=0) if stayed[i] else NO_CLASS
                for i, head in enumerate(given["heads"])
            ]
            expected = codes, stayed
            await bench.tick()

    simulate(HeadClasses(config, heads_only=True), testbench)


def both(left, right):
    """Pairs of two lists of one length."""
    return zip(left, right, strict=True)


def number_of(bits):
    """A number that has these bits, the lowest one first."""
    return sum(bool(bit) << i for i, bit in enumerate(bits))


def registered_code(given, i):
    """The class in the next clock, with L > 0: of the head as it will be then."""
    enters = given["entry"]["tenants"] >> i & 1
    entering = given["entry"] if enters else given["approach"]
    if given["granted"] >> i & 1:
        following = given["nexts"][i]
        request = following if following["present"] else entering
        return expected_code(given, i, request, charged=1)
    head = given["heads"][i]
    return expected_code(given, i, head if head["present"] else entering, charged=0)
