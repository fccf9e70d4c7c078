# amaranth: UnusedElaboratable=no
"""The channel as requesters and memory see it."""

import random
from collections import deque
from itertools import pairwise

import pytest

from mcos_hw.channel.channel import DRAIN_AGE, Channel
from mcos_hw.channel.monitor import monitor_windows
from mcos_hw.channel.request import request_layout
from mcos_hw.config import ChannelConfig
from mcos_hw.controller import ARBITERS
from mcos_hw.registers import ArbiterKind, GrantClass
from tests.hw.channel.bench import members, simulate

CONFIG = ChannelConfig(tenants=4, queue_depth=4, slots=16)
ALL = (1 << CONFIG.tenants) - 1
FIELDS = request_layout(CONFIG).members
EVERY_ARBITER = pytest.mark.parametrize("kind", list(ArbiterKind))


def channel(kind=ArbiterKind.MCOS):
    return Channel(CONFIG, arbiter=ARBITERS[kind](CONFIG))


def live(*, enabled=ALL, tenant=None, **settings):
    """A live configuration of equal tenants; one-request buckets that do not refill."""
    each = {
        "work_conserving": 1,
        "committed_depth": CONFIG.l_max,
        "peak_depth": CONFIG.l_max,
        "inverse_weight": 1 << CONFIG.reciprocal_fraction,
    } | (tenant or {})
    shared = {
        "port_credit": CONFIG.slots * CONFIG.l_max,
        "inverse_total_weight": (1 << CONFIG.total_reciprocal_fraction) // CONFIG.tenants,
        "promotion_interval": 1,
    } | settings
    tenants = [each | {"enable": enabled >> i & 1} for i in range(CONFIG.tenants)]
    return {"channel": shared, "tenants": tenants}


def request(**values):
    return dict.fromkeys(FIELDS, 0) | {"beats": 1} | values


async def start(bench, **settings):
    """Makes a configuration live and lets it fill the buckets."""
    bench.set(live=live(**settings), **{"command.ready": 1})
    await bench.tick()


async def offer(bench, **values):
    """Offers a request for one clock and says whether it was taken."""
    bench.set(request=request(**values), request_valid=1)
    taken = bench.get("request_ready") >> values["tenant"] & 1
    await bench.tick()
    bench.set(request_valid=0)
    return taken


async def count_commands(bench, clocks):
    commands = 0
    for _ in range(clocks):
        commands += bench.get("command.valid")
        await bench.tick()
    return commands


def test_signature():
    widths = members(channel())
    assert widths["out"]["request_ready"] == CONFIG.tenants
    assert widths["in"]["completion.payload"] == CONFIG.slot_width
    assert {f"{name}.data" for name in monitor_windows(CONFIG)} <= set(widths["out"])


@EVERY_ARBITER
def test_a_request_stands_at_the_port_two_clocks_after_it_is_taken(kind):
    async def testbench(bench):
        await start(bench)
        assert await offer(bench, tenant=2, id=7, address=0x40, beats=3, op=1)
        assert bench.get("probe")["channel"]["granted"]
        assert not bench.get("command.valid")
        await bench.tick()
        assert bench.get("command.valid")
        command = bench.get("command.payload")
        slot = command.pop("slot")
        assert command == {"tenant": 2, "op": 1, "address": 0x40, "beats": 3}
        await bench.tick()
        assert not bench.get("command.valid")
        bench.set(**{"completion.valid": 1, "completion.payload": {"slot": slot}})
        await bench.tick()
        assert bench.get("response.valid")
        assert bench.get("response.payload") == {"tenant": 2, "id": 7}

    simulate(channel(kind), testbench)


@EVERY_ARBITER
def test_one_request_a_clock_is_taken_and_granted(kind):
    async def testbench(bench):
        await start(bench)
        for clock in range(100):
            valid = bench.get("command.valid")
            assert valid == (clock >= 2)
            bench.set(**{"completion.valid": valid})
            bench.set(**{"completion.payload": {"slot": bench.get("command.payload")["slot"]}})
            assert await offer(bench, tenant=clock * 3 % CONFIG.tenants)

    simulate(channel(kind), testbench)


@EVERY_ARBITER
def test_every_request_is_granted_and_answered_once(kind):
    """Under random back-pressure, completion order and contracts without tokens to spare."""
    rng = random.Random(kind)
    queued = [deque() for _ in range(CONFIG.tenants)]
    granted = deque()
    in_flight = {}
    sent = answered = 0

    def random_request(now):
        return request(
            tenant=rng.randrange(CONFIG.tenants),
            id=rng.getrandbits(CONFIG.id_width),
            op=rng.getrandbits(1),
            address=rng.getrandbits(30),
            beats=rng.randint(1, CONFIG.max_beats),
            offered=now,
        )

    async def testbench(bench):
        nonlocal sent, answered
        served = None
        await start(bench, tenant={"age_limit": 40}, depth1_clocks=20)
        for clock in range(900):
            draining = clock > 700
            assert bench.get("response.valid") == (served is not None)
            if served:
                answer = {"tenant": served["tenant"], "id": served["id"]}
                assert bench.get("response.payload") == answer
                answered += 1

            served = None
            if in_flight and (draining or rng.random() < 0.5):
                slot = rng.choice(list(in_flight))
                served = in_flight.pop(slot)
                bench.set(**{"completion.payload": {"slot": slot}})
            bench.set(**{"completion.valid": served is not None})

            port_ready = draining or rng.random() < 0.7
            bench.set(**{"command.ready": port_ready})
            if bench.get("command.valid") and port_ready:
                command = bench.get("command.payload")
                head = granted.popleft()
                slot = command.pop("slot")
                assert slot not in in_flight
                assert command == {name: head[name] for name in command}
                in_flight[slot] = head

            offered = random_request(bench.get("now"))
            valid = not draining and rng.random() < 0.8
            bench.set(request=offered, request_valid=valid)
            ready = bench.get("request_ready")
            room = [len(queue) < CONFIG.queue_depth for queue in queued]
            assert ready == sum(bit << i for i, bit in enumerate(room))

            choice = bench.get("probe")["channel"]
            if choice["granted"]:
                head = queued[choice["tenant"]].popleft()
                assert choice["beats"] == head["beats"]
                granted.append(head)
            if valid and room[offered["tenant"]]:
                queued[offered["tenant"]].append(offered)
                sent += 1
            await bench.tick()

    simulate(channel(kind), testbench)
    assert sent == answered > 150


@EVERY_ARBITER
def test_a_full_queue_holds_up_nobody_else(kind):
    async def testbench(bench):
        await start(bench)
        bench.set(**{"command.ready": 0})
        # One request waits in the command register, the others in their queue.
        taken = [await offer(bench, tenant=1) for _ in range(CONFIG.queue_depth + 3)]
        assert taken == [1] * (CONFIG.queue_depth + 1) + [0, 0]
        assert bench.get("request_ready") == 0b1101
        assert await offer(bench, tenant=0)

    simulate(channel(kind), testbench)


def test_a_disabled_tenant_takes_nothing_and_what_it_has_queued_is_scavenged():
    empty = {"committed_depth": 0, "peak_depth": 0, "work_conserving": 0}

    async def testbench(bench):
        await start(bench, enabled=0b1011, tenant=empty)
        assert bench.get("request_ready") == 0b1011
        assert not await offer(bench, tenant=2)
        assert await offer(bench, tenant=1)
        assert await count_commands(bench, 20) == 0
        bench.set(live=live(enabled=0b1001, tenant=empty))
        assert bench.get("request_ready") == 0b1001
        assert bench.get("probe")["tenants"][1]["class_code"] == GrantClass.SCAVENGED
        assert await count_commands(bench, 20) == 1

    simulate(channel(), testbench)


def test_the_queue_of_a_disabled_tenant_drains_beside_one_that_takes_everything():
    queued = 3

    async def testbench(bench):
        await start(bench, tenant={"work_conserving": 0, "committed_depth": 0, "peak_depth": 0})
        for _ in range(queued):
            assert await offer(bench, tenant=0)
        hungry = live(enabled=0b0010, promotion_interval=4)
        full_rate = CONFIG.bytes_per_clock << CONFIG.rate_fraction
        hungry["tenants"][1] |= {"committed_rate": full_rate, "peak_rate": full_rate}
        bench.set(live=hungry, request=request(tenant=1), request_valid=1)
        granted = []
        for clock in range((queued + 1) * DRAIN_AGE):
            valid = bench.get("command.valid")
            command = bench.get("command.payload")
            if valid and command["tenant"] == 0:
                granted.append(clock)
            bench.set(**{"completion.valid": valid})
            bench.set(**{"completion.payload": {"slot": command["slot"]}})
            await bench.tick()
        assert len(granted) == queued
        # The first may go before the other tenant has tokens.
        for before, after in pairwise(granted):
            assert DRAIN_AGE <= after - before <= DRAIN_AGE + 4

    simulate(channel(), testbench)


@EVERY_ARBITER
@pytest.mark.parametrize(("spare", "commands"), [(0, 1), (31, 1), (32, 2), (64, 3)])
def test_a_grant_needs_port_credit_for_a_longest_request(kind, spare, commands):
    async def testbench(bench):
        await start(bench, port_credit=CONFIG.l_max + spare)
        bench.set(request=request(tenant=0), request_valid=1)
        assert await count_commands(bench, 30) == commands
        assert bench.get("probe")["channel"]["in_flight"] == 32 * commands

    simulate(channel(kind), testbench)


@EVERY_ARBITER
def test_a_grant_needs_a_slot(kind):
    async def testbench(bench):
        await start(bench)
        bench.set(request=request(tenant=0), request_valid=1)
        assert await count_commands(bench, 3 * CONFIG.slots) == CONFIG.slots

    simulate(channel(kind), testbench)


@EVERY_ARBITER
def test_a_grant_needs_an_open_pacer(kind):
    async def testbench(bench):
        rate = 8 << CONFIG.rate_fraction
        await start(bench, pacer_enable=1, pacer_rate=rate)
        bench.set(request=request(tenant=0), request_valid=1)
        await bench.tick(2)
        assert await count_commands(bench, 40) == 10

    simulate(channel(kind), testbench)


@EVERY_ARBITER
def test_tokens_hold_back_a_tenant_only_where_contracts_are_enforced(kind):
    """One longest request's tokens, no refill, no work conservation."""

    async def testbench(bench):
        await start(bench, tenant={"work_conserving": 0})
        for _ in range(3):
            assert await offer(bench, tenant=3, beats=CONFIG.max_beats)
        await bench.tick(20)
        granted = 1 if kind is ArbiterKind.MCOS else 3
        assert bench.get("probe")["channel"]["in_flight"] == granted * CONFIG.l_max

    simulate(channel(kind), testbench)


def test_a_tenants_buckets_are_filled_when_it_is_enabled():
    async def testbench(bench):
        await start(bench, enabled=0b0001)
        levels = [tenant["committed"] for tenant in bench.get("probe")["tenants"]]
        full = CONFIG.l_max << CONFIG.rate_fraction
        assert levels == [full, 0, 0, 0]
        assert await offer(bench, tenant=0, beats=CONFIG.max_beats)
        bench.set(live=live(enabled=0b0011))
        await bench.tick(2)
        levels = [tenant["committed"] for tenant in bench.get("probe")["tenants"]]
        assert levels == [0, full, 0, 0]

    simulate(channel(), testbench)


@pytest.mark.parametrize(
    ("requests", "load"), [(0, 0), (3, 0), (4, 1), (7, 1), (8, 2), (11, 2), (12, 3), (16, 3)]
)
def test_load_is_the_quarter_of_the_port_credit_in_flight(requests, load):
    async def testbench(bench):
        await start(bench)
        for i in range(requests):
            assert await offer(bench, tenant=i % CONFIG.tenants, beats=CONFIG.max_beats)
        await bench.tick(3)
        assert bench.get("load") == load

    simulate(channel(), testbench)


def tags(bench, tenant):
    """Start tag of ``tenant`` and virtual time, in bytes at w = 1."""
    probe = bench.get("probe")
    tag = 1 << CONFIG.tag_fraction
    return probe["tenants"][tenant]["start"] / tag, probe["channel"]["virtual_time"] / tag


def test_only_a_request_to_an_empty_queue_starts_at_virtual_time():
    """Tenant 1 has no tokens and waits; virtual time follows tenant 0's S and adds s / W = 8."""

    async def testbench(bench):
        configuration = live()
        configuration["tenants"][1] |= {"committed_depth": 0, "peak_depth": 0}
        bench.set(live=configuration, **{"command.ready": 0})
        await bench.tick()
        for _ in range(4):
            assert await offer(bench, tenant=0)
        assert await offer(bench, tenant=1)
        assert tags(bench, 1) == (8, 8)
        bench.set(**{"command.ready": 1})
        await bench.tick()
        assert await offer(bench, tenant=1)
        assert tags(bench, 1) == (8, 2 * 32 + 8)

    simulate(channel(), testbench)


@pytest.mark.parametrize(("clocks", "credit"), [(1, 32), (5, 32), (6, 0)])
def test_a_request_soon_after_its_tenants_response_starts_earlier(clocks, credit):
    """The depth-1 rule with a limit of five clocks; s / w = 32, V = (32 + 512) / W."""

    async def testbench(bench):
        await start(bench, depth1_clocks=5)
        assert await offer(bench, tenant=1)
        assert await offer(bench, tenant=0, beats=CONFIG.max_beats)
        slot = bench.get("command.payload")["slot"]
        bench.set(**{"completion.valid": 1, "completion.payload": {"slot": slot}})
        await bench.tick()
        bench.set(**{"completion.valid": 0})
        assert bench.get("response.payload")["tenant"] == 1
        await bench.tick(clocks)
        assert await offer(bench, tenant=1)
        assert tags(bench, 1) == (136 - credit, 136)

    simulate(channel(), testbench)


@pytest.mark.parametrize(("age_limit", "promoted"), [(0, []), (3, [3, 7]), (6, [6])])
def test_an_over_age_head_goes_before_a_better_class(age_limit, promoted):
    """Tenant 1 has no tokens and waits beside tenant 0 that always has a conforming head."""
    poor = {"committed_depth": 0, "peak_depth": 0, "age_limit": age_limit}

    async def testbench(bench):
        configuration = live()
        configuration["tenants"][1] |= poor
        bench.set(live=configuration, **{"command.ready": 0})
        await bench.tick()
        for tenant in (0, 0, 1):
            assert await offer(bench, tenant=tenant)
        bench.set(request=request(tenant=1), request_valid=1)
        await bench.tick()
        bench.set(request=request(tenant=0), **{"command.ready": 1})
        promotions = []
        for clock in range(1, 11):
            probe = bench.get("probe")
            if probe["channel"]["promoted"]:
                assert probe["channel"]["tenant"] == 1
                assert probe["tenants"][1]["age"] == age_limit
                promotions.append(clock)
            await bench.tick()
        assert promotions == promoted

    simulate(channel(), testbench)


@EVERY_ARBITER
def test_the_monitor_counts_grants_and_responses(kind):
    async def testbench(bench):
        await start(bench, epoch_clocks=40, tenant={"latency_slo": 3})
        for _ in range(2):
            assert await offer(bench, tenant=2, beats=5, op=1, offered=bench.get("now"))
        await bench.tick(4)
        bench.set(**{"completion.valid": 1})
        await bench.tick()
        bench.set(**{"completion.valid": 0})
        while not bench.get("epoch"):
            await bench.tick()
        written = 8 * 2 + 4 + GrantClass.CONFORMING
        expected = {
            ("grant_requests", written): 2,
            ("grant_bytes", written): 2 * 5 * CONFIG.beat_bytes,
            ("responses", 2): 1,
            ("slo_violations", 2): 1,
            ("latency", 16 * 2 + 2): 1,
            ("queue", 2): 1 << 8,
            ("promotions", 2): 0,
            ("held", 2): 0,
        }
        bench.set(**{f"{name}.index": index for name, index in expected})
        await bench.tick()
        assert {key: bench.get(f"{key[0]}.data") for key in expected} == expected
        # From the clock after the first grant; the second command is never served.
        assert bench.get("busy_clocks") == 40 - 3

    simulate(channel(kind), testbench)
