"""No request is later than its tenant's bound, and no bound is one that anything would keep."""

import dataclasses

import numpy as np

from mcos_hw.registers import channel_map
from mcos_policy.image import encode
from mcos_policy.quantize import quantize
from tests.sim.experiments.hostile import (
    CONFIG,
    asked_at,
    contract_of,
    guarantee,
    parts,
    random_run,
    run_on_model,
)

RUNS = 60
CLOCKS = 30_000
LONGEST = np.full(1, CONFIG.max_beats)
AT_ONCE = np.zeros(1, dtype=np.int64)


def _bandwidth(guaranteed: float, burst: float = 51.2, duration: str = "20 us") -> dict:
    return {
        "guaranteed": f'"{guaranteed} GB/s"',
        "burst": f'"{burst} GB/s"',
        "burst_duration": f'"{duration}"',
        "work_conserving": "true" if burst > guaranteed else "false",
    }


def test_random_tenants_stay_within_their_bounds(tmp_path):
    nearest = 0.0
    for seed in range(RUNS):
        for part in parts(*random_run(tmp_path, seed, CLOCKS)):
            nearest = max(nearest, part.promised / part.bound)
            assert part.promised <= part.bound, (seed, part)
            assert part.queue <= part.queue_bound, (seed, part)
    print(f"nearest to its bound: {nearest:.0%}")
    # Half the bound would not hold.
    assert nearest > 0.5


def test_requests_offered_before_delay_the_ingress(tmp_path):
    compiled = contract_of(tmp_path, [_bandwidth(10) for _ in range(4)])
    one = np.ones(1, dtype=np.int64)
    streams = [asked_at(0, AT_ONCE + 1, LONGEST, one)]
    streams += [asked_at(tag, AT_ONCE, LONGEST, 400 * one) for tag in (1, 2, 3)]
    found = parts(compiled, run_on_model(compiled, streams, 8000))[0]
    # Three queues of 16 are filled first; one clock for each tenant would not do.
    assert 3 * CONFIG.queue_depth < found.ingress <= found.terms["ingress"]


def test_tenants_whose_tokens_come_late_go_first(tmp_path):
    # One drags virtual time along with what it saved up, while fourteen wait for tokens. Then they
    # have them all at once, and are all before the one that has most of the channel.
    tenants = [_bandwidth(20), _bandwidth(0.3, duration="200 us")]
    tenants += [_bandwidth(0.3, burst=0.3, duration="10 ns") for _ in range(14)]
    tenants = [tenant | {"age_limit": '"0 ns"'} for tenant in tenants]
    compiled = contract_of(tmp_path, tenants, 'depth1 = "0 ns"')
    clocks = 60_000
    steady = np.arange(1, clocks, CONFIG.l_max / guarantee(compiled, 0)).astype(np.int64)
    streams = [asked_at(0, steady, LONGEST, np.ones(len(steady), dtype=np.int64))]
    pulses = np.arange(0, clocks, 1000)
    streams.append(asked_at(1, pulses, LONGEST, np.full(len(pulses), 6)))
    streams += [asked_at(tag, AT_ONCE, LONGEST, np.array([400])) for tag in range(2, 16)]
    found = parts(compiled, run_on_model(compiled, streams, clocks))[0]
    fair = found.terms["fair queueing"]
    # In front of it are those that are there always, what lower classes have begun, and the jump.
    assert fair + 16 + 16 < found.queue <= found.queue_bound


def test_a_tenant_on_its_way_while_virtual_time_jumps_catches_up(tmp_path):
    # Tenant 0 moves virtual time by a whole request of weight 1 while tenant 1, of weight 46, is on
    # its way; tenant 2 comes then, and waits until tenant 1 has caught up.
    tenants = [_bandwidth(0.5), _bandwidth(23), _bandwidth(3.3)]
    compiled = contract_of(tmp_path, tenants, 'depth1 = "0 ns"')
    worst = 0.0
    for clock in range(40, 80):
        streams = [
            asked_at(0, AT_ONCE, LONGEST, np.array([3])),
            asked_at(1, AT_ONCE + clock - 30, LONGEST, np.array([200])),
            asked_at(2, AT_ONCE + clock, LONGEST, np.array([1])),
        ]
        found = parts(compiled, run_on_model(compiled, streams, 4000))[2]
        assert found.queue <= found.queue_bound
        worst = max(worst, found.queue / found.terms["fair queueing"])
    assert worst > 1.1


def test_a_shallow_bucket_would_lose_tokens(tmp_path):
    # With l_max of depth, each wait of a request costs the next one tokens, and waits add up.
    tenants = [_bandwidth(30), *(_bandwidth(0.9, burst=0.9, duration="10 ns") for _ in range(14))]
    compiled = contract_of(tmp_path, tenants)
    shallow = quantize(compiled.contract, CONFIG, waits={})
    image = encode(CONFIG, channel_map(CONFIG), shallow, 0)
    assert shallow.tenants[1].committed_depth == CONFIG.l_max
    clocks = 200_000
    streams = [asked_at(0, AT_ONCE, LONGEST, np.array([clocks // 8]))]
    streams += [asked_at(tag, AT_ONCE, LONGEST, np.array([1000])) for tag in range(1, 15)]
    late = dataclasses.replace(compiled, settings=shallow, image=image)
    assert all(
        p.promised <= p.bound for p in parts(compiled, run_on_model(compiled, streams, clocks))
    )
    assert any(p.promised > p.bound for p in parts(late, run_on_model(late, streams, clocks)))
