"""Scenarios through the engine: results, windows read back, and runs that must fail."""

import dataclasses
import fcntl

import numpy as np
import pytest
from vcdvcd import VCDVCD

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import Access, ArbiterKind, channel_map
from mcos_sim.cosim.bench import PROGRESS_CLOCKS
from mcos_sim.cosim.run_tests import SimulationFailed
from mcos_sim.engines.cocotb import build_harness, run_scenario
from mcos_sim.engines.dispatch import rtl_engine, run_scenarios
from mcos_sim.errors import HardwareError, UserError
from mcos_sim.scenario import Channel, Scenario, Window, one_port
from tests.sim.cosim.recipes import CREDIT, LATENCY, contract, image, stream

pytestmark = pytest.mark.cocotb

CONFIG = ChannelConfig(tenants=4)


def scenario(*, config=CONFIG, **changes) -> Scenario:
    """Two tenants with more to ask than there is time for."""
    settings = contract(config, {0: 16, 2: 1, 3: 16}, channel={"epoch_clocks": 2_000})
    return Scenario(
        **{
            "name": "run",
            "arbiter": ArbiterKind.MCOS,
            "config": config,
            "image": image(config, settings).words,
            "ports": one_port(
                [
                    stream(0, requests=8_000),
                    stream(3, requests=1_000, closed=True, steps=50, compute=100, until=4_000),
                ]
            ),
            "channels": (Channel(latency=LATENCY, credit=CREDIT),),
            "clocks": 5_000,
            "seed": 5,
        }
        | changes
    )


def execute(tmp_path, **changes):
    return run_scenario(scenario(**changes), directory=tmp_path)


def test_a_simulator_is_looked_up_once():
    first = build_harness(CONFIG, ArbiterKind.MCOS)
    assert build_harness(CONFIG, ArbiterKind.MCOS) is first


@pytest.mark.parametrize("paused", [0.0, 0.3])
def test_a_result_tells_what_every_tenant_saw(tmp_path, paused):
    given = scenario(offer_pause=paused, command_pause=paused)
    result = run_scenario(given, directory=tmp_path)
    assert result.clocks == given.clocks
    assert result.seconds > 0
    for asked, seen in zip(given.streams, result.tenants, strict=True):
        assert (seen.name, seen.tag) == (asked.name, asked.tag)
        offered, granted = len(seen.offered), len(seen.granted)
        assert 20 < granted <= offered == len(seen.sizes) == len(seen.completed)
        assert np.array_equal(seen.sizes, asked.requests["beats"][:offered].astype(int) * 32)
        assert np.all(np.diff(seen.offered) >= 0)
        assert np.all(np.diff(seen.granted) > 0)
        assert np.all(seen.granted > seen.offered[:granted])
        answered = seen.completed >= 0
        assert np.all(seen.completed[answered] > seen.granted[: answered.sum()] + LATENCY)
        assert 0 < answered.sum() <= granted
    prefill, decoder = result.tenants
    assert np.any(prefill.completed < 0), "what is under way at the end has no answer"
    assert decoder.offered.max() < 4_000
    assert np.all(np.diff(decoder.step_started) >= 100)
    ended = decoder.step_ended >= 0
    assert np.array_equal(decoder.step_started[1:], decoder.step_ended[ended][:-1] + 100)


def test_a_result_carries_the_monitor(tmp_path):
    result = execute(tmp_path)
    monitor = {
        register.name: register.count
        for register in channel_map(CONFIG).registers
        if register.access is Access.READ and register.offset >= 0x1000
    }
    assert {name: len(words) for name, words in result.channel.registers.items()} == monitor
    assert result.channel.registers["EPOCH"] == [2]
    # A grant is counted in the clock after it.
    second_epoch = [
        int(np.count_nonzero((tenant.granted >= 1_999) & (tenant.granted < 3_999)))
        for tenant in result.tenants
    ]
    requests = (
        np.array(result.channel.registers["GRANT_REQUESTS"]).reshape(CONFIG.tenants, -1).sum(axis=1)
    )
    assert requests.tolist() == [second_epoch[0], 0, 0, second_epoch[1]]


def test_the_run_ends_when_all_is_answered(tmp_path):
    result = execute(tmp_path, ports=one_port([stream(2, requests=200)]))
    assert result.clocks < 2_500
    assert np.all(result.tenants[0].completed > 0)


def test_the_same_scenario_gives_the_same_result(tmp_path):
    """Also where the bench stops to tell of its progress."""
    clocks = PROGRESS_CLOCKS + 3_000
    given = scenario(
        clocks=clocks,
        offer_pause=0.2,
        command_pause=0.4,
        ports=one_port(
            [stream(0, requests=2_000, window=8), stream(3, requests=20_000, window=100)]
        ),
    )
    window = Window(
        path=tmp_path / "window.vcd", first=PROGRESS_CLOCKS - 100, end=PROGRESS_CLOCKS + 100
    )
    progress: list[int] = []
    scenarios = [
        dataclasses.replace(given, name="plain"),
        dataclasses.replace(given, name="watched", window=window),
        dataclasses.replace(given, name="other seed", seed=6),
    ]
    plain, watched, other = run_scenarios(
        [(rtl_engine(each), each) for each in scenarios],
        directory=tmp_path,
        on_progress=progress.append,
    )
    assert sum(progress) == 3 * clocks
    assert columns(plain) == columns(watched)
    assert columns(plain) != columns(other)
    require_window_agrees(watched, window)


def columns(result):
    """Everything in a result but its wall time."""
    return result.clocks, [
        {name: np.asarray(value).tolist() for name, value in dataclasses.asdict(tenant).items()}
        for tenant in result.tenants
    ]


def require_window_agrees(result, window):
    """The grants, requests and answers in a waveform are those of the run."""
    vcd = VCDVCD(str(window.path))
    period = 1_250  # 800 MHz, in the window's picoseconds

    def events(valid, tenant):
        found = []
        for clock in range(window.first, window.end):
            if int(vcd[valid][clock * period]):
                found.append((clock, int(vcd[tenant][clock * period], 2)))
        return found

    def expected(column):
        return sorted(
            (clock, tenant.tag)
            for tenant in result.tenants
            for clock in getattr(tenant, column).tolist()
            if window.first <= clock < window.end
        )

    granted = expected("granted")
    assert len({tag for _, tag in granted}) == len(result.tenants)
    assert events("mcos.arbiter.granted", "mcos.arbiter.tenant") == granted
    answered = events("mcos.events.response.valid", "mcos.events.response.tenant")
    assert answered == expected("completed")
    assert int(vcd["mcos.clock"][window.first * period], 2) == window.first
    assert vcd.endtime == window.end * period


@pytest.mark.parametrize(
    ("arbiter", "config"),
    [
        pytest.param(ArbiterKind.MCOS, CONFIG, id="mcos"),
        pytest.param(ArbiterKind.FCFS, CONFIG, id="fcfs", marks=pytest.mark.soak),
    ],
)
def test_a_window_agrees_with_its_run(tmp_path, arbiter, config):
    window = Window(path=tmp_path / "window.vcd", first=1_500, end=1_900)
    result = execute(tmp_path, arbiter=arbiter, window=window, config=config)
    require_window_agrees(result, window)
    assert (tmp_path / "window.json").exists()
    assert (tmp_path / "window.gtkw").exists()


def test_a_window_that_never_begins_fails(tmp_path):
    window = Window(path=tmp_path / "window.vcd", first=9_000, end=9_100)
    with pytest.raises(
        SimulationFailed, match=r"begin before the run ends in clock 5000, not in cl"
    ):
        execute(tmp_path, window=window)


def test_a_port_with_less_credit_than_the_hardware_thinks_fails(tmp_path):
    message = r"brought the memory port to \d+ bytes, over its credit"
    with pytest.raises(SimulationFailed, match=message):
        execute(tmp_path, channels=(Channel(latency=500, credit=4_096),))


def test_a_folder_in_use_is_refused(tmp_path):
    used = scenario()
    folder = tmp_path / used.name
    folder.mkdir()
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="must not be in use by another run"):
            run_scenario(used, directory=tmp_path)


def test_a_refused_image_fails(tmp_path):
    words = scenario().image
    with pytest.raises(SimulationFailed, match="the image must be staged, not REFUSED CRC"):
        execute(tmp_path, image=(*words[:-1], words[-1] ^ 1))


def test_one_failure_fails_all(tmp_path):
    good = scenario(name="good")
    bad = scenario(name="bad", channels=(Channel(latency=500, credit=4_096),))
    with pytest.raises(HardwareError, match="over its credit"):
        run_scenarios([(rtl_engine(each), each) for each in (good, bad)], directory=tmp_path)
