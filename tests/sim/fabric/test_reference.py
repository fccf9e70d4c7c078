"""The reference engine on several channels."""

import dataclasses

import numpy as np
import pytest

from mcos_sim.engines import model as reference
from mcos_sim.memory.hbm import find_preset
from mcos_sim.memory.hbm.memory import Hbm
from mcos_sim.scenario import FIRST_CLOCK
from tests.sim.fabric.scenarios import CONFIG, EPOCH, heavy, light, scenario, served

ONE_EACH = ((0,), (1,), (2,))


@pytest.mark.parametrize(("channels", "ports"), [(2, ONE_EACH), (4, ((0, 1, 2),) * 4)])
def test_channels_together_pass_their_sum(channels, ports):
    result = reference.run_scenario(scenario(*heavy(channels), channels=channels, ports=ports))
    passed = [tenant.bytes_granted for tenant in result.tenants]
    most = channels * CONFIG.bytes_per_clock * (result.clocks - FIRST_CLOCK)
    assert 0.95 * most < sum(passed) <= most
    # Each channel counts for itself, and latches what it granted in an epoch.
    for each in result.channels:
        beats = sum(each.registers["GRANT_BYTES"]) / CONFIG.beat_bytes
        assert 0.75 * EPOCH < beats <= EPOCH + CONFIG.max_beats


def test_a_port_passes_a_beat_a_clock_in_each_direction():
    result = reference.run_scenario(scenario(*heavy(4), channels=4, ports=((0, 1, 2),)))
    clocks = result.clocks - FIRST_CLOCK
    passed = sum(tenant.bytes_granted for tenant in result.tenants) / CONFIG.bytes_per_clock
    assert 1.8 * clocks < passed <= 2.05 * clocks


def test_every_request_is_answered_once_and_after_its_grant():
    result = reference.run_scenario(scenario(*light(), clocks=20_000))
    assert served(result) == dict.fromkeys(range(3), 200)
    for tenant in result.tenants:
        assert (tenant.offered <= tenant.taken).all()
        assert (tenant.taken < tenant.granted).all()
        assert (tenant.granted < tenant.completed).all()


def test_a_result_repeats_and_a_window_is_of_all_channels():
    asked = scenario(*heavy())
    ours, again = reference.run_scenario(asked), reference.run_scenario(asked)
    for one, other in zip(ours.tenants, again.tenants, strict=True):
        assert np.array_equal(one.completed, other.completed)
        known = len(one.taken)
        started, ended = one.offered[:known], one.completed[:known]
        ended = np.where(ended < 0, ours.clocks, ended)
        clocks = np.concatenate([started, ended])
        steps = np.concatenate([np.ones(known), -np.ones(known)])
        # Of one clock, answers make room for the next offers.
        order = np.lexsort((steps, clocks))
        assert np.cumsum(steps[order]).max() <= asked.streams[one.tag].window


def test_skipped_clocks_change_nothing():
    asked = scenario(*light(), clocks=20_000)
    lazy = reference.run_scenario(asked)
    # A pause that never comes: nothing is skipped while one may.
    awake = reference.run_scenario(dataclasses.replace(asked, command_pause=2.0**-32))
    for one, other in zip(lazy.tenants, awake.tenants, strict=True):
        assert np.array_equal(one.granted, other.granted)
        assert np.array_equal(one.completed, other.completed)
    assert [each.registers for each in lazy.channels] == [each.registers for each in awake.channels]


@pytest.mark.soak
def test_an_hbm_behind_each_channel_counts_for_itself():
    asked = scenario(*light(), clocks=20_000).with_channel(memory=Hbm(preset=find_preset("hbm3")))
    result = reference.run_scenario(asked)
    assert served(result) == dict.fromkeys(range(3), 200)
    bursts = [each.memory.bursts for each in result.channels]
    assert min(bursts) > 0
    assert result.memory.bursts == sum(bursts)
