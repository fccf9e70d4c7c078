# amaranth: UnusedElaboratable=no
"""The channel as requesters and memory see it."""

import dataclasses
import random
from collections import deque
from itertools import pairwise

import pytest

from mcos_hw.channel.channel import Channel
from mcos_hw.channel.outlet import OUTLET_DEPTH
from mcos_hw.controller import arbiter_class
from mcos_hw.link.classes import NO_CLASS
from mcos_hw.link.readings import monitor_windows
from mcos_hw.registers import ArbiterKind, GrantClass
from tests.hw.channel.bench import boundary, simulate
from tests.hw.channel.every_lateness import EVERY_LATENESS
from tests.hw.channel.timed_channel import (
    CONFIG,
    FULL_RATE,
    NAMES,
    ROUND,
    Memory,
    TimedChannel,
    live,
    offer,
    random_contracts,
    request,
    require_passage,
    start,
)

BOTH_WAYS = pytest.mark.parametrize("kind", [ArbiterKind.MCOS, ArbiterKind.FCFS])
"""An arbiter that chooses a clock ahead, and one that chooses in the clock of the grant."""
EVERY_CHANNEL = pytest.mark.parametrize(
    ("kind", "lateness"),
    [(ArbiterKind.MCOS, 0), (ArbiterKind.MCOS, 1), *((kind, 2) for kind in ArbiterKind)],
)


def port_clocks(lateness):
    """Clocks from a request to its command at the port of an idle channel."""
    return 4 if lateness else 2


def channel(kind=ArbiterKind.MCOS, lateness=CONFIG.lateness):
    return TimedChannel(dataclasses.replace(CONFIG, lateness=lateness), kind)


async def count_commands(bench, clocks):
    commands = 0
    for _ in range(clocks):
        commands += bench.get("command.valid")
        await bench.tick()
    return commands


def test_signature():
    given = {"live", "now", "epoch", "request", "completion"}
    made = {"contracts", "response", "command", "command_id", "load", "readings", "probe"}
    assert boundary(channel().channel) == {"in": given, "out": made}
    uncounted = dataclasses.replace(CONFIG, monitors=False)
    shell = Channel(uncounted, arbiter=arbiter_class(uncounted, ArbiterKind.MCOS)(uncounted))
    assert boundary(shell) == {"in": given, "out": made - {"readings"}}


@EVERY_CHANNEL
def test_a_request_passes_an_idle_channel_in_its_clocks(kind, lateness):
    """To the port in two clocks at L = 0, in four at any other; time and again."""

    async def testbench(bench):
        await start(bench)
        await require_passage(bench, port_clocks(lateness))

    simulate(channel(kind, lateness), testbench, NAMES)


@EVERY_CHANNEL
def test_one_request_a_clock_is_taken_and_granted(kind, lateness):
    """Of one tenant or of all in turn. Only the second request of a queue may cost a clock."""

    async def testbench(bench):
        for stride in (0, 1):
            await start(bench)
            memory = Memory()
            commands = []
            for clock in range(60):
                command = memory.clock(bench)
                commands.append(command is not None)
                assert await offer(bench, tenant=clock * stride % CONFIG.tenants)
            first = port_clocks(lateness)
            assert commands[: first + 1] == [False] * first + [True]
            assert all(commands[first + 2 :])
            assert commands[first + 1] or stride == 0
            bench.set(**{"completion.valid": 0})
            await bench.reset()

    simulate(channel(kind, lateness), testbench, NAMES)


@EVERY_LATENESS
def test_no_clock_is_lost_while_contracts_sizes_and_tenants_change(lateness):
    """Seven requests are queued or on their way; one comes and one goes in every clock."""
    rng = random.Random(lateness)
    queued = 7

    async def testbench(bench):
        await start(bench, pacer_enable=1, pacer_rate=0)
        for _ in range(queued):
            assert await offer(bench, tenant=rng.randrange(CONFIG.tenants))
        memory = Memory()
        for clock in range(700):
            if clock % 7 == 0:
                bench.set(live=random_contracts(rng))
            if clock % 20 == 0:
                tenants = rng.sample(range(CONFIG.tenants), rng.randint(1, CONFIG.tenants))
                sizes = rng.choice(((1, 1), (16, 16), (1, 16)))
            command = memory.clock(bench)
            # The first grant is chosen in the clock of the commit.
            assert (command is not None) == (clock >= 2), clock
            if clock >= 1:
                taken = await offer(bench, tenant=rng.choice(tenants), beats=rng.randint(*sizes))
                assert taken
            else:
                await bench.tick()

    simulate(channel(lateness=lateness), testbench, NAMES)


@EVERY_CHANNEL
def test_every_request_is_granted_and_answered_once(kind, lateness):
    """Under random back-pressure, completion order and contracts without tokens to spare."""
    rng = random.Random(kind + 10 * lateness)
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
        for clock in range(700):
            if clock % 50 == 0:
                bench.set(live=random_contracts(rng))
            draining = clock > 500
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

    simulate(channel(kind, lateness), testbench, NAMES)
    assert sent == answered > 120


@EVERY_CHANNEL
def test_a_full_queue_holds_up_nobody_else(kind, lateness):
    async def testbench(bench):
        await start(bench)
        bench.set(**{"command.ready": 0})
        # Some requests wait for memory in the outlet, the others in their queue.
        places = CONFIG.queue_depth + OUTLET_DEPTH
        taken = [await offer(bench, tenant=1) for _ in range(places + 2)]
        assert taken == [1] * places + [0, 0]
        assert bench.get("request_ready") == 0b1101
        assert await offer(bench, tenant=0)

    simulate(channel(kind, lateness), testbench, NAMES)


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
        await bench.tick()
        assert bench.get("probe")["tenants"][1]["class_code"] == GrantClass.SCAVENGED
        assert await count_commands(bench, 20) == 1

    simulate(channel(), testbench, NAMES)


def test_the_queue_of_a_disabled_tenant_drains_beside_one_that_takes_everything():
    drain_age = 1024
    queued = 2

    async def testbench(bench):
        await start(bench, tenant={"work_conserving": 0, "committed_depth": 0, "peak_depth": 0})
        for _ in range(queued):
            assert await offer(bench, tenant=0)
            assert await offer(bench, tenant=1)
        hungry = live(enabled=0b0010, promotion_interval=4)
        hungry["tenants"][1] |= {"committed_rate": FULL_RATE, "peak_rate": FULL_RATE}
        bench.set(live=hungry, request=request(tenant=1), request_valid=1)
        memory = Memory()
        granted = []
        for clock in range((queued + 1) * drain_age):
            command = memory.clock(bench)
            if command and command["tenant"] == 0:
                granted.append(clock)
            await bench.tick()
        assert len(granted) == queued
        # The first may go before the other tenant has tokens.
        for before, after in pairwise(granted):
            assert drain_age <= after - before <= drain_age + 3 * ROUND

    simulate(channel(), testbench, NAMES)


@BOTH_WAYS
def test_a_grant_needs_port_credit_for_a_longest_request(kind):
    async def testbench(bench):
        for spare, commands in ((0, 1), (31, 1), (32, 2), (64, 3)):
            await start(bench, port_credit=CONFIG.l_max + spare)
            bench.set(request=request(tenant=0), request_valid=1)
            assert await count_commands(bench, 20) == commands
            assert bench.get("probe")["channel"]["in_flight"] == 32 * commands
            bench.set(request_valid=0)
            await bench.reset()

    simulate(channel(kind), testbench, NAMES)


@BOTH_WAYS
def test_a_grant_needs_a_slot(kind):
    async def testbench(bench):
        await start(bench)
        bench.set(request=request(tenant=0), request_valid=1)
        assert await count_commands(bench, 3 * CONFIG.slots) == CONFIG.slots

    simulate(channel(kind), testbench, NAMES)


@BOTH_WAYS
def test_a_grant_needs_an_open_pacer(kind):
    async def testbench(bench):
        rate = 8 << CONFIG.rate_fraction
        await start(bench, pacer_enable=1, pacer_rate=rate)
        bench.set(request=request(tenant=0), request_valid=1)
        await bench.tick(10)
        assert await count_commands(bench, 40) == 10

    simulate(channel(kind), testbench, NAMES)


@BOTH_WAYS
def test_tokens_hold_back_a_tenant_only_where_contracts_are_enforced(kind):
    """One longest request's tokens, no refill, no work conservation."""

    async def testbench(bench):
        await start(bench, tenant={"work_conserving": 0})
        for _ in range(3):
            assert await offer(bench, tenant=3, beats=CONFIG.max_beats)
        await bench.tick(20)
        granted = 1 if kind is ArbiterKind.MCOS else 3
        assert bench.get("probe")["channel"]["in_flight"] == granted * CONFIG.l_max

    simulate(channel(kind), testbench, NAMES)


@pytest.mark.parametrize("lateness", [0, 3])
def test_a_grant_is_charged_whatever_goes_live_in_its_clock(lateness):
    """New rates, tenants and limits in every clock around a grant."""
    depth = 4 * CONFIG.l_max
    tenant = {"committed_depth": depth, "peak_depth": depth}
    after = (depth - CONFIG.l_max) << CONFIG.rate_fraction

    async def testbench(bench):
        for clock in range(8):
            await start(bench, enabled=0b0011, tenant=tenant)
            await bench.tick(2)
            assert await offer(bench, tenant=0, beats=CONFIG.max_beats)
            await bench.tick(clock)
            rates = {"committed_rate": 1, "peak_rate": 2}
            bench.set(live=live(tenant=tenant | rates, port_credit=CONFIG.l_max))
            await bench.tick(12)
            levels = bench.get("probe")["tenants"][0]
            assert after <= levels["committed"] <= after + 20, clock
            assert after <= levels["peak"] <= after + 40, clock
            await bench.reset()

    simulate(channel(lateness=lateness), testbench, NAMES)


def test_a_tenants_buckets_are_filled_when_it_is_enabled():
    async def testbench(bench):
        await start(bench, enabled=0b0001)
        levels = [tenant["committed"] for tenant in bench.get("probe")["tenants"]]
        full = CONFIG.l_max << CONFIG.rate_fraction
        assert levels == [full, 0, 0, 0]
        assert await offer(bench, tenant=0, beats=CONFIG.max_beats)
        await bench.tick(port_clocks(CONFIG.lateness))
        bench.set(live=live(enabled=0b0011))
        await bench.tick()
        levels = [tenant["committed"] for tenant in bench.get("probe")["tenants"]]
        assert levels == [0, full, 0, 0]

    simulate(channel(), testbench, NAMES)


def test_load_is_the_quarter_of_the_port_credit_in_flight():
    async def testbench(bench):
        # Without an image there is no credit, and nothing in flight.
        await bench.tick(2)
        assert bench.get("load") == 0
        for requests in (0, 3, 4, 7, 8, 11, 12, 16):
            await start(bench)
            for i in range(requests):
                assert await offer(bench, tenant=i % CONFIG.tenants, beats=CONFIG.max_beats)
            await bench.tick(2 + port_clocks(CONFIG.lateness))
            assert bench.get("load") == min(requests // 4, 3)
            await bench.reset()

    simulate(channel(), testbench, NAMES)


@pytest.mark.parametrize(
    ("lateness", "clocks", "credit"), [(0, 5, 32), (1, 5, 32), (2, 5, 32), (2, 6, 0)]
)
def test_a_request_soon_after_its_tenants_response_starts_earlier(lateness, clocks, credit):
    """The depth-1 rule with a limit of five clocks; s / w = 32 at w = 1."""

    async def testbench(bench):
        await start(bench, depth1_clocks=5)
        memory = Memory()

        async def go_on():
            memory.clock(bench)
            await bench.tick()

        for _ in range(4):
            bench.set(request=request(tenant=0, beats=CONFIG.max_beats), request_valid=1)
            await go_on()
        bench.set(request=request(tenant=1))
        await go_on()
        bench.set(request_valid=0)
        while not (bench.get("response.valid") and bench.get("response.payload")["tenant"] == 1):
            await go_on()
        for _ in range(clocks):
            await go_on()
        assert await offer(bench, tenant=1)
        await bench.tick(port_clocks(lateness) - 2)
        probe = bench.get("probe")
        virtual_time = probe["channel"]["virtual_time"]
        if lateness == 0:
            # With L = 0 it follows the grant of this clock already.
            assert probe["channel"]["granted"]
            virtual_time -= 8 << CONFIG.tag_fraction
        assert virtual_time > 100 << CONFIG.tag_fraction
        assert virtual_time - probe["tenants"][1]["start"] == credit << CONFIG.tag_fraction

    simulate(channel(lateness=lateness), testbench, NAMES)


@pytest.mark.parametrize(
    ("lateness", "age_limit", "interval"),
    [(0, 3, 1), (1, 40, 1), (2, 0, 1), (2, 3, 1), (2, 3, 16)],
)
def test_an_over_age_head_goes_before_a_better_class(lateness, age_limit, interval):
    """Tenant 1 has no tokens and waits beside tenant 0 that always has a conforming head."""
    poor = {"committed_depth": 0, "peak_depth": 0, "age_limit": age_limit}

    async def testbench(bench):
        configuration = live(promotion_interval=interval)
        configuration["tenants"][0] |= {"committed_rate": FULL_RATE, "peak_rate": FULL_RATE}
        configuration["tenants"][1] |= poor
        bench.set(live=configuration, **{"command.ready": 0})
        await bench.tick()
        for tenant in (0, 0, 0, 0, 0, 0, 1, 1, 1, 1):
            assert await offer(bench, tenant=tenant)
        bench.set(request=request(tenant=0), request_valid=1, **{"command.ready": 1})
        memory = Memory()
        grants = []
        for _ in range(150):
            memory.clock(bench)
            probe = bench.get("probe")
            choice = probe["channel"]
            if choice["granted"]:
                grants.append(choice["promoted"])
                # The poor one is granted by a promotion and not before its age.
                assert choice["promoted"] == (choice["tenant"] == 1)
                if choice["promoted"]:
                    assert probe["tenants"][1]["age"] >= age_limit // ROUND * ROUND
            await bench.tick()
        promotions = [grant for grant, promoted in enumerate(grants) if promoted]
        assert len(promotions) == (0 if age_limit == 0 else 3 if age_limit == 40 else 4)
        spacing = max(interval, age_limit)
        assert all(after - before >= spacing for before, after in pairwise(promotions))

    simulate(channel(lateness=lateness), testbench, NAMES)


@BOTH_WAYS
def test_the_monitor_counts_grants_and_responses(kind):
    async def testbench(bench):
        await start(bench, tenant={"latency_slo": 3})
        # The counters' memories are cleared first.
        await bench.tick(2 * max(monitor_windows(CONFIG).values()))
        busy = 0

        async def go_on(clocks):
            nonlocal busy
            for _ in range(clocks):
                channel = bench.get("probe")["channel"]
                busy += (channel["in_flight"] | channel["debt"]) != 0
                await bench.tick()

        offered = bench.get("now")
        for _ in range(2):
            bench.set(request=request(tenant=2, beats=5, op=1, offered=offered), request_valid=1)
            await go_on(1)
        bench.set(request_valid=0)
        await go_on(4)
        bench.set(**{"completion.valid": 1})
        await go_on(1)
        bench.set(**{"completion.valid": 0})
        assert bench.get("response.valid")
        latency = bench.get("now") - offered
        assert latency >> 2 == 1
        await go_on(5)
        bench.set(live=live(epoch_clocks=1, tenant={"latency_slo": 3}))
        await go_on(1)
        bench.set(live=live())
        await go_on(1)
        assert bench.get("epoch.number") == 2
        assert bench.get("readings.busy") == busy > 5
        await bench.tick(2)
        written = 8 * 2 + 4 + GrantClass.CONFORMING
        expected = {
            ("grant_requests", written): 2,
            ("grant_bytes", written): 2 * 5 * CONFIG.beat_bytes,
            ("responses", 2): 1,
            ("slo_violations", 2): 1,
            ("latency", 16 * 2 + 2): 1,
            ("queue", 2): 2 << 8,
            ("promotions", 2): 0,
            ("held", 2): 0,
        }
        bench.set(**{f"readings.{name}.index": index for name, index in expected})
        await bench.tick()
        assert {key: bench.get(f"readings.{key[0]}.data") for key in expected} == expected

    simulate(channel(kind), testbench, NAMES)


@EVERY_LATENESS
def test_held_clocks_are_those_in_which_a_head_waits_for_tokens(lateness):
    """Not those of a request on its way, nor of an empty queue without tokens."""
    poor = {"work_conserving": 0, "committed_depth": 0, "peak_depth": 0}

    async def testbench(bench):
        await start(bench, tenant=poor)
        # The request of tenant 1 is a head one clock before a command could be at the port.
        assert await offer(bench, tenant=1, beats=3)
        await bench.tick(port_clocks(lateness) - 2 + 10)
        assert bench.get("probe")["tenants"][1]["queued"] == 1
        bench.set(live=live(epoch_clocks=1, tenant=poor))
        await bench.tick()
        bench.set(live=live(tenant=poor))
        await bench.tick()
        held = []
        for tenant in range(CONFIG.tenants):
            bench.set(**{"readings.held.index": tenant})
            await bench.tick()
            held.append(bench.get("readings.held.data"))
        # Twelve clocks to the end of the epoch; the last one counts in the next.
        assert held == [0, 11, 0, 0]

    simulate(channel(lateness=lateness), testbench, NAMES)


def coloured(**tenant):
    """Colour 1 is for everybody, told by bit 12 of an address."""
    return live(tenant={"colours": 0b10, **tenant}, **{f"colour_bit_{k}": 12 for k in (0,)})


INSIDE, OUTSIDE = 1 << 12, 1 << 13


@pytest.mark.parametrize("kind", ArbiterKind)
@pytest.mark.parametrize("refuse", [0, 1])
@pytest.mark.parametrize("lateness", [0, 2])
def test_a_request_outside_its_colours_counts_and_waits_where_they_are_refused(
    kind, refuse, lateness
):
    """It holds up nobody but its tenant, and goes on when the image lets it."""
    # Arbiters that enforce no contracts serve it.
    waits = refuse and kind is ArbiterKind.MCOS

    async def testbench(bench):
        await start(bench)
        bench.set(live=coloured(refuse_outside=refuse, work_conserving=1))
        await bench.tick(2 * max(monitor_windows(CONFIG).values()))
        served = []

        async def go_on(clocks):
            for _ in range(clocks):
                if bench.get("command.valid"):
                    command = bench.get("command.payload")
                    served.append((command["tenant"], command["address"]))
                await bench.tick()

        for tenant, address in ((2, OUTSIDE), (2, INSIDE), (1, INSIDE), (3, INSIDE | OUTSIDE)):
            bench.set(request=request(tenant=tenant, address=address), request_valid=1)
            await go_on(1)
        bench.set(request_valid=0)
        await go_on(40)
        others = {(1, INSIDE), (3, INSIDE | OUTSIDE)}
        late = {(2, OUTSIDE), (2, INSIDE)}
        assert set(served) == (others if waits else others | late)
        state = bench.get("probe")["tenants"][2]
        assert state["queued"] == (2 if waits else 0)
        assert (state["class_code"], state["serviceable"]) == (NO_CLASS, 0)
        bench.set(live=coloured(refuse_outside=0))
        await go_on(20)
        assert set(served) == others | late
        assert [address for tenant, address in served if tenant == 2] == [OUTSIDE, INSIDE]
        bench.set(live=live(epoch_clocks=1))
        await bench.tick()
        bench.set(live=live())
        await bench.tick(4)
        for tenant, faults in enumerate((0, 0, 1, 0)):
            bench.set(**{"readings.colour_faults.index": tenant, "readings.held.index": tenant})
            await bench.tick()
            assert bench.get("readings.colour_faults.data") == faults
            assert (bench.get("readings.held.data") > 30) == (tenant == 2 and bool(waits))

    simulate(channel(kind, lateness=lateness), testbench, NAMES)


@EVERY_LATENESS
def test_every_request_of_a_burst_is_judged_by_its_own_colour(lateness):
    """As head, as the one behind it, and from the queue: who passes is who was inside."""
    rng = random.Random(lateness)
    memory = Memory()

    async def testbench(bench):
        async def go_on(clocks):
            for _ in range(clocks):
                memory.clock(bench)
                await bench.tick()

        await start(bench)
        for _ in range(30):
            bench.set(live=coloured(refuse_outside=1))
            sent = []
            for _ in range(CONFIG.queue_depth):
                inside = rng.random() < 0.8
                sent.append(inside)
                address = (INSIDE if inside else OUTSIDE) | rng.randrange(64) << 5
                bench.set(request=request(tenant=1, address=address), request_valid=1)
                await go_on(1)
            bench.set(request_valid=0)
            await go_on(2 * CONFIG.queue_depth)
            passed = [*sent, False].index(False)
            assert bench.get("probe")["tenants"][1]["queued"] == len(sent) - passed
            bench.set(live=coloured(refuse_outside=0))
            await go_on(2 * CONFIG.queue_depth + 8)
            assert bench.get("probe")["tenants"][1]["queued"] == 0

    simulate(channel(lateness=lateness), testbench, NAMES)
