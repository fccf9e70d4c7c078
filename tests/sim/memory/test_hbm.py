"""The HBM channel against a plain model of the same rules, and each constraint on both sides."""

import dataclasses

import numpy as np
import pytest

from mcos_sim.errors import UserError
from mcos_sim.memory.hbm import (
    BURST,
    PRESETS,
    Field,
    Page,
    Policy,
    Refresh,
    Scheduler,
    bursts_of,
    default_mapping,
    find_preset,
    serve,
)
from mcos_sim.memory.hbm import layout as at
from mcos_sim.memory.hbm.constraint import CONSTRAINTS, Command, Level, ticks_between
from mcos_sim.memory.hbm.device import issue, load_device, ready
from tests.sim.commands.command_line import ROOT
from tests.sim.memory.naive import naive_log

HBM3 = find_preset("hbm3")


def traffic(seed, *, count, preset=HBM3):
    """Bursts that meet in few banks and rows, at once and with pauses."""
    rng = np.random.default_rng(seed)
    bursts = np.zeros(count, BURST)
    bursts["arrival"] = np.sort(rng.integers(0, rng.choice([1, 8, 40]) * count, count))
    banks = rng.choice(preset.all_banks, int(rng.integers(1, 24)), replace=False)
    bursts["bank"] = rng.choice(banks, count)
    bursts["row"] = rng.integers(0, rng.choice([1, 2, 6]), count)
    bursts["write"] = rng.random(count) < rng.choice([0, 0.3, 0.7])
    return bursts


@pytest.mark.parametrize("blocks", [True, False], ids=["blocking", "flowing"])
@pytest.mark.parametrize("refresh", Refresh)
@pytest.mark.parametrize("scheduler", Scheduler)
def test_every_command_is_that_of_the_plain_model(scheduler, refresh, blocks):
    policy = Policy(
        scheduler=scheduler,
        refresh=refresh,
        refresh_blocks_queues=blocks,
        queue_entries=12,
    )
    # Refreshes often enough to meet every state.
    often = dataclasses.replace(HBM3, timing={**HBM3.timing, "nREFI": 900, "nREFIpb": 97})
    for seed in range(3):
        bursts = traffic(seed, count=250)
        served = serve(bursts, often, policy, keep_log=True)
        wanted = naive_log(bursts, often, policy)
        assert [tuple(int(v) for v in row) for row in served.log] == wanted


@pytest.mark.parametrize(("drain_from", "drain_to"), [(0.8, 0.0), (1.0, 0.0), (0.5, 0.5)])
def test_drained_to_the_last_write(drain_from, drain_to):
    """Reads go on once the last write is out."""
    policy = Policy(queue_entries=6, drain_from=drain_from, drain_to=drain_to)
    bursts = traffic(7, count=250)
    served = serve(bursts, HBM3, policy, keep_log=True)
    assert [tuple(int(v) for v in row) for row in served.log] == naive_log(bursts, HBM3, policy)


@pytest.mark.parametrize("name", PRESETS)
def test_the_plain_model_of_every_preset(name):
    preset = find_preset(name)
    bursts = traffic(5, count=200, preset=preset)
    policy = Policy()
    served = serve(bursts, preset, policy, keep_log=True)
    wanted = naive_log(bursts, preset, policy)
    assert [tuple(int(v) for v in row) for row in served.log] == wanted


def _pairs():
    for constraint in CONSTRAINTS:
        for preceding in constraint.preceding:
            for following in constraint.following:
                yield constraint, preceding, following


@pytest.mark.parametrize(
    ("constraint", "preceding", "following"),
    list(_pairs()),
    ids=lambda each: each.name if isinstance(each, Command) else each.level.name.lower(),
)
def test_each_constraint_on_both_sides(constraint, preceding, following):
    """Blocked one tick before its distance, allowed at it; elsewhere it holds nobody up."""
    m = np.zeros(at.LENGTH, dtype=np.int64)
    load_device(m, HBM3, constraints=[constraint])
    # The first bank of the second group, second stack id, second pseudo channel.
    bank, own = 32 + 16 + 4, 32 + 16 + 4
    # Another bank that is in the same part and in no smaller one.
    within = {
        Level.CHANNEL: 0,
        Level.PSEUDO_CHANNEL: 32,
        Level.STACK_ID: 32 + 16,
        Level.BANK_GROUP: 32 + 16 + 5,
        Level.BANK: bank,
    }[constraint.level]
    beyond = {
        Level.PSEUDO_CHANNEL: 4,
        Level.STACK_ID: 32 + 4,
        Level.BANK_GROUP: 32 + 16 + 8,
        Level.BANK: 32 + 16 + 5,
    }.get(constraint.level)
    if constraint.siblings:
        within, beyond = 32, own
    distance = ticks_between(
        constraint, preceding, following, timing=HBM3.timing, lengths=HBM3.lengths
    )
    first, step = 1_000, 7
    for k in range(constraint.window):
        issue(m, preceding, bank, first + step * k)
        if k + 1 < constraint.window:
            assert ready(m, following, within) <= first
    assert ready(m, following, within) == first + distance
    if beyond is not None:
        assert ready(m, following, beyond) <= first


def test_closed_pages_are_closed_once_nobody_hits_them():
    bursts = np.zeros(3, BURST)
    bursts["arrival"] = 0, 0, 2_000
    bursts["row"] = 4
    served = {}
    for page in Page:
        policy = Policy(refresh=Refresh.NONE, page=page)
        served[page] = serve(bursts, HBM3, policy, keep_log=True)
    assert served[Page.OPEN].commands[Command.PREPB] == 0
    assert served[Page.OPEN].classes.tolist() == [1, 0, 0]
    # The last row is closed while the data of its read is on the way.
    assert served[Page.CLOSED].commands[Command.PREPB] == 2
    assert served[Page.CLOSED].classes.tolist() == [1, 0, 1]


@pytest.mark.parametrize(("interval", "refreshes"), [(108, 1), (110, 0)])
def test_a_run_ends_with_its_last_completion(interval, refreshes):
    """A refresh of the last tick is logged, one that is due after it is not."""
    bursts = np.zeros(1, BURST)
    bursts["bank"] = 5
    preset = dataclasses.replace(HBM3, timing={**HBM3.timing, "nREFIpb": interval // 2})
    served = serve(bursts, preset, Policy(refresh=Refresh.PER_BANK), keep_log=True)
    assert served.completed.tolist() == [109]
    assert served.commands[Command.REFPB] == refreshes
    assert served.log[2:].tolist() == [[109, Command.REFPB, 0, -1]][:refreshes]


def test_nothing_is_lost_and_reads_take_their_latency():
    bursts = traffic(9, count=3_000)
    bursts["write"] = np.arange(3_000) % 3 == 0
    served = serve(bursts, HBM3, Policy())
    assert served.commands[Command.RD] == np.count_nonzero(bursts["write"] == 0)
    assert served.commands[Command.WR] == np.count_nonzero(bursts["write"])
    assert (served.accepted >= bursts["arrival"]).all()
    assert (served.first > served.accepted).all()
    assert (served.column >= served.first).all()
    latency = served.completed - served.column
    assert set(latency[bursts["write"] == 0]) == {2 * (20 + 2)}
    assert set(latency[bursts["write"] == 1]) == {0}


def test_sequential_reads_come_near_the_ceiling_of_refresh():
    """89 of 100: the rest is refresh (9 %) and the way back from it."""
    bursts = bursts_of(np.arange(40_000) * 64, HBM3, size=64)
    served = serve(bursts, HBM3, Policy(queue_entries=64))
    ticks = 2 * HBM3.timing["nBL"] / HBM3.pseudo_channels
    utilisation = ticks * len(bursts) / served.column.max()
    assert 0.95 * HBM3.refresh_ceiling < utilisation <= HBM3.refresh_ceiling


def test_peak_rate_and_unknown_names():
    assert HBM3.peak_bytes_per_s == pytest.approx(51.2e9)
    assert find_preset("hbm2").peak_bytes_per_s == pytest.approx(32e9)
    assert find_preset("hbm3e").peak_bytes_per_s == pytest.approx(73.6e9, rel=0.001)
    with pytest.raises(UserError, match="must be one of hbm3, hbm3e, hbm2, not 'ddr5'"):
        find_preset("ddr5")


def test_addresses_and_places_are_one_to_one():
    mapping = default_mapping(HBM3)
    sizes = {
        Field.PSEUDO_CHANNEL: HBM3.pseudo_channels,
        Field.STACK_ID: HBM3.stack_ids,
        Field.BANK_GROUP: HBM3.bank_groups,
        Field.BANK: HBM3.banks,
        Field.ROW: HBM3.rows,
        Field.COLUMN: HBM3.columns,
    }
    assert {field: 1 << mapping.bits(field) for field in Field} == sizes
    addresses = np.random.default_rng(1).integers(0, 1 << 29, 5_000) // 32 * 32
    at = mapping.place(addresses, 32)
    places = np.stack([at[field] for field in Field], axis=1)
    assert len(np.unique(places, axis=0)) == len(np.unique(addresses))
    assert all((at[field] < sizes[field]).all() for field in Field)


def test_a_block_is_two_bursts_of_one_row_and_its_neighbour_is_elsewhere():
    bursts = bursts_of(np.array([0, 64]), HBM3, size=64, write=np.array([False, True]), arrival=9)
    assert bursts["bank"].tolist() == [0, 0, 32, 32]
    assert bursts["row"].tolist() == [0] * 4
    assert bursts["write"].tolist() == [0, 0, 1, 1]
    assert bursts["arrival"].tolist() == [9] * 4
    with pytest.raises(ValueError, match="size must be a multiple of 32, not 48"):
        bursts_of(np.array([0]), HBM3, size=48)


@pytest.mark.parametrize(("field", "value"), [("bank", 64), ("bank", -1), ("row", 16384)])
def test_a_place_outside_the_device_is_refused(field, value):
    bursts = np.zeros(2, BURST)
    bursts[field][1] = value
    with pytest.raises(ValueError, match=rf"{field} must be in .* not {value} in request 1"):
        serve(bursts, HBM3, Policy())


def test_the_example_of_the_page():
    page = (ROOT / "docs" / "memory.md").read_text(encoding="utf-8")
    example = page.split("```python\n")[1].split("```")[0]
    exec(compile(example, "memory.md", "exec"), {})
