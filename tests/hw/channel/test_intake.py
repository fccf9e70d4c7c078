# amaranth: UnusedElaboratable=no
"""The intake against a list of what was taken."""

import random

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.intake import Intake, price, price_terms
from mcos_hw.config import ChannelConfig
from mcos_hw.link.arrival import terms_fraction, terms_layout
from mcos_hw.link.request import request_layout
from mcos_hw.registers import COLOUR_BITS
from tests.hw.channel.bench import simulate
from tests.hw.channel.contracts import Contracted

LATENESS = pytest.mark.parametrize("lateness", [0, 1, 2, 3])


def configuration(lateness, interval=1):
    return ChannelConfig(tenants=4, queue_depth=4, lateness=lateness, grant_interval=interval)


CONFIG = configuration(0)
ONE = {"payload": dict.fromkeys(request_layout(CONFIG).members, 0) | {"beats": 1}, "valid": 1}
"""A request of tenant 0 that is offered."""


class Price(wiring.Component):
    def __init__(self, config):
        self.config = config
        super().__init__(
            {
                "beats": In(config.beats_width),
                "inverse": In(config.reciprocal_width),
                "cost": Out(config.tag_width),
            }
        )

    def elaborate(self, platform):
        m = Module()
        layout = terms_layout(self.config)
        terms = data.View(layout, Signal(layout))
        m.d.comb += [
            terms.eq(price_terms(self.config, self.beats, self.inverse)),
            self.cost.eq(price(self.config, terms)),
        ]
        return m


def cost_of(config, beats, inverse, fraction):
    """s / w in tag units, rounded down."""
    return beats * config.beat_bytes * inverse * 2**config.tag_fraction >> fraction


def live_of(weights, *, colours=(1, 1, 1, 1), bits=(0, 0, 0, 0)):
    one = 1 << CONFIG.reciprocal_fraction
    return {
        "channel": {f"colour_bit_{k}": bit for k, bit in enumerate(bits)},
        "tenants": [
            {"enable": 1, "inverse_weight": round(one / weight), "colours": mask}
            for weight, mask in zip(weights, colours, strict=True)
        ],
    }


@pytest.mark.parametrize(
    "config",
    [
        CONFIG,
        ChannelConfig(reciprocal_fraction=16),
        ChannelConfig(beat_bytes=64, max_beats=8, tag_fraction=8),
    ],
)
def test_a_price_is_the_size_over_the_weight_rounded_down(config):
    fraction = config.reciprocal_fraction
    rng = random.Random(fraction)

    async def testbench(bench):
        for beats in range(1, config.max_beats + 1):
            one = 1 << fraction
            for inverse in (1, 3, one // 3, one - 1, one, rng.randrange(one)):
                bench.set(beats=beats, inverse=inverse)
                assert bench.get("cost") == cost_of(config, beats, inverse, fraction)

    simulate(Price(config), testbench)


def test_signature():
    assert {name: each.flow.name for name, each in Intake(CONFIG).signature.members.items()} == {
        **dict.fromkeys(("live", "request", "full", "tails", "recent"), "In"),
        **dict.fromkeys(("contract", "taken", "arrival"), "Out"),
    }


def test_a_request_is_taken_if_its_tenant_is_enabled_and_its_queue_has_room():
    async def testbench(bench):
        live = live_of([1] * 4)
        live["tenants"][2]["enable"] = 0
        bench.set(live=live, full=0b0010)
        assert bench.get("request.ready") == 0b1001
        for tenant, taken in enumerate((0b0001, 0, 0, 0b1000)):
            payload = ONE["payload"] | {"tenant": tenant}
            bench.set(request={"payload": payload, "valid": 1})
            assert bench.get("taken") == taken
            assert bench.get("arrival.stored")["valid"] == (taken != 0)
        bench.set(request={"valid": 0})
        assert bench.get("taken") == 0

    simulate(Contracted(Intake(CONFIG)), testbench)


@pytest.mark.parametrize(("lateness", "interval"), [(0, 1), (1, 1), (2, 1), (3, 1), (0, 4)])
def test_every_request_takes_its_steps(lateness, interval):
    """Priced and stored by its approach, in its queue one step later, one request a clock."""
    config = configuration(lateness, interval)
    steps = 2 if config.steps else 0
    rng = random.Random(lateness)
    widths = request_layout(config).members

    async def testbench(bench):
        way = [None] * 3
        for clock in range(800):
            if clock % 40 == 0:
                bits = [rng.randrange(config.address_width + 2) for _ in range(COLOUR_BITS)]
                live = live_of(
                    [rng.choice((1, 3, 7, 255)) for _ in range(config.tenants)],
                    colours=[rng.getrandbits(16) for _ in range(config.tenants)],
                    bits=bits,
                )
                bench.set(live=live)
            fields = {name: rng.getrandbits(width) for name, width in widths.items()}
            fields["beats"] = rng.randint(1, config.max_beats)
            taken, row = rng.random() < (0.5, 1.0)[clock // 100 % 2], rng.randrange(4)
            recent = rng.getrandbits(1)
            tails = [row] * config.tenants
            request = {"payload": fields, "valid": taken}
            bench.set(request=request, tails=tails, recent=recent)
            assert bench.get("taken") == (1 << fields["tenant"] if taken else 0)
            tenant = fields["tenant"]
            inverse = live["tenants"][tenant]["inverse_weight"]
            cost = cost_of(config, fields["beats"], inverse, config.reciprocal_fraction)
            colour = sum((fields["address"] >> bit & 1) << k for k, bit in enumerate(bits))
            outside = not live["tenants"][tenant]["colours"] >> colour & 1
            given = (fields, row, recent, cost, outside) if taken else None
            way = [given, *way[:2]]

            stored = bench.get("arrival.stored")
            approach, approaching = bench.get("arrival.approach"), way[steps // 2]
            assert approach["tenants_copy"] == approach["tenants"]
            assert stored["valid"] == (approaching is not None)
            if approaching is None:
                assert approach["tenants"] == approach["outside"] == 0
            else:
                request, row, recent, cost, outside = approaching
                assert (stored["request"], stored["row"]) == (request, row)
                tenants = 1 << request["tenant"]
                if config.compact:
                    assert approach.pop("recent") == recent
                else:
                    assert sum(approach.pop("terms")) >> terms_fraction(config) == cost
                    early = sum(approach.pop("early")) >> terms_fraction(config)
                    assert early == (cost if recent else 0)
                assert approach == {
                    "tenants": tenants,
                    "tenants_copy": tenants,
                    "beats": request["beats"],
                    "outside": outside,
                }
            entry, entering = bench.get("arrival.entry"), way[steps]
            if entering is None:
                assert entry["tenants"] == 0
            else:
                request, row, _, cost, outside = entering
                assert entry == {
                    "tenants": 1 << request["tenant"],
                    "row": row,
                    "beats": request["beats"],
                    "outside": outside,
                    "cost": cost,
                    "offered": request["offered"],
                }
            await bench.tick()

    simulate(Contracted(Intake(config)), testbench)


@LATENESS
def test_a_new_weight_counts_for_requests_taken_after_its_commit(lateness):
    config = configuration(lateness)

    async def testbench(bench):
        costs = []
        for weight in (1, 2, 4, 4, 4):
            bench.set(live=live_of([weight] * 4), request=ONE)
            costs.append(bench.get("arrival.entry")["cost"])
            await bench.tick()
        beat = config.beat_bytes << config.tag_fraction
        expected = [beat, beat // 2, beat // 4]
        assert (costs[2:] if lateness else costs[:3]) == expected

    simulate(Contracted(Intake(config)), testbench)


@pytest.mark.parametrize("lateness", [1, 2])
def test_reset_forgets_what_is_on_its_way(lateness):
    async def testbench(bench):
        bench.set(live=live_of([1] * 4), request=ONE)
        await bench.tick(2)
        assert bench.get("arrival.entry")["tenants"] == 0b0001
        bench.set(request={"valid": 0})
        await bench.reset()
        for _ in range(3):
            assert bench.get("arrival.entry")["tenants"] == 0
            await bench.tick()

    simulate(Contracted(Intake(configuration(lateness))), testbench)


@LATENESS
def test_without_its_gate_it_takes_requests_of_tenants_that_are_not_enabled(lateness):
    """A port in front refuses them; what has passed that before a commit is still taken."""

    async def testbench(bench):
        bench.set(full=0b0010)
        assert bench.get("request.ready") == 0b1101
        bench.set(full=0)
        assert bench.get("request.ready") == 0b1111

    simulate(Contracted(Intake(configuration(lateness), gated=False)), testbench)
