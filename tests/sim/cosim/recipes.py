"""What the tests of the bench and the controller are made from: settings, streams, benches."""

import dataclasses
import random
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind, channel_map
from mcos_policy.image import Image, encode
from mcos_policy.quantize import committed_rates, peak_rate, weights
from mcos_policy.settings import ChannelSettings, Settings, TenantSettings
from mcos_sim.cosim.run_tests import parameters
from mcos_sim.cosim.testbench import Testbench
from mcos_sim.environment import layout as at
from mcos_sim.environment.environment import blocks_of, environment, tenant_results
from mcos_sim.memory import simple_port
from mcos_sim.memory.simple import simple_state
from mcos_sim.scenario import Channel, Scenario, TenantResult, one_port
from mcos_sim.traffic.stream import REQUEST, STEP, Stream

LATENCY = 60
CREDIT = 16_384

PAUSE = 0.2
"""Probability of a pause in each clock of a paused run."""


def contract(
    config: ChannelConfig,
    guarantees: Mapping[int, Fraction | int],
    *,
    channel: Mapping[str, int] | None = None,
    tenants: Mapping[int, Mapping[str, Any]] | None = None,
) -> Settings:
    """Settings that guarantee bytes per clock by tag, with named fields changed.

    Unchanged, every tenant may burst to the whole channel, scavenges, and has neither an age limit
    nor a latency objective.
    """
    rates = {tag: Fraction(rate) for tag, rate in guarantees.items()}
    committed = committed_rates(rates, config)
    shares = weights(rates, config)
    rows = [TenantSettings()] * config.tenants
    for tag in rates:
        row = TenantSettings(
            enable=1,
            work_conserving=1,
            committed_rate=committed[tag],
            committed_depth=4_096,
            peak_rate=peak_rate(Fraction(config.bytes_per_clock), config),
            peak_depth=65_536,
            inverse_weight=shares.inverse[tag],
            colours=1,
        )
        rows[tag] = dataclasses.replace(row, **(tenants or {}).get(tag, {}))
    whole = ChannelSettings(
        pacer_enable=1,
        overcommitted=0,
        pacer_rate=config.bytes_per_clock << config.rate_fraction,
        port_credit=CREDIT,
        inverse_total_weight=shares.inverse_total,
        depth1_clocks=8,
        promotion_interval=8,
        epoch_clocks=0,
    )
    return Settings(
        channel=dataclasses.replace(whole, **(channel or {})),
        tenants=tuple(rows),
    )


def image(config: ChannelConfig, settings: Settings, label: int = 1) -> Image:
    """The image of settings."""
    return encode(config, channel_map(config), settings, label)


def stream(
    tag: int,
    *,
    requests: int,
    beats: tuple[int, int] = (1, 16),
    window: int = 64,
    closed: bool = False,
    steps: int = 1,
    ready: int = 0,
    every: int = 0,
    compute: int = 0,
    until: int | None = None,
) -> Stream:
    """Random reads and writes of ``beats`` from the lowest to the highest, in equal steps.

    Step ``i`` is ready in clock ``ready + i * every``. The same arguments give the same stream.
    """
    rng = np.random.default_rng(tag)
    rows = np.zeros(requests, REQUEST)
    rows["op"] = rng.integers(0, 2, requests)
    rows["beats"] = rng.integers(beats[0], beats[1] + 1, requests)
    rows["address"] = rng.integers(0, 1 << 30, requests) * 512
    table = np.zeros(steps, STEP)
    table["count"] = requests // steps
    table["first"] = np.arange(steps) * (requests // steps)
    table["ready"] = ready + np.arange(steps) * every
    table["compute"] = compute
    return Stream(
        name=f"t{tag}",
        tag=tag,
        window=window,
        closed=closed,
        requests=rows,
        steps=table,
        until=until,
    )


def pauses(seed: int) -> Iterator[bool]:
    """Whether each clock pauses."""
    rng = random.Random(seed)
    while True:
        yield rng.random() < PAUSE


def sizes() -> ChannelConfig:
    """Sizes of the hardware that this simulation runs."""
    return ChannelConfig(**parameters()["config"])


@dataclasses.dataclass(frozen=True)
class RatedMemory:
    """The simple memory with a rate of its own."""

    bytes_per_clock: int

    @property
    def model(self):
        """What it does in a clock."""
        return simple_port

    def state(self, config, *, latency, first_clock):
        """Its state in the first clock, holding nothing."""
        return simple_state(
            latency=latency, bytes_per_clock=self.bytes_per_clock, slots=config.slots
        )

    def counts(self, state, config):
        """It counts nothing."""


class Bench(Testbench):
    """A bench that knows what its environment was made from."""

    def __init__(self, dut, scenario: Scenario) -> None:
        super().__init__(dut, scenario.config, environment(scenario), scenario.channel.memory.model)
        self.scenario = scenario

    @property
    def tenants(self) -> tuple[TenantResult, ...]:
        """What each tenant has seen so far."""
        return tenant_results(self.scenario, self.environment)

    @property
    def granted(self) -> dict[int, list[int]]:
        """Clock of each grant so far, by tag."""
        return {tenant.tag: tenant.granted.tolist() for tenant in self.tenants}

    @property
    def grants(self) -> int:
        """How many grants there were so far."""
        return sum(int(block[at.GRANTS]) for block in blocks_of(self.environment))

    @property
    def taken(self) -> dict[int, int]:
        """How many requests the channel took so far, by tag."""
        return {int(block[at.TAG]): int(block[at.TAKEN]) for block in blocks_of(self.environment)}

    @property
    def pending(self) -> dict[int, int]:
        """How many requests wait to be taken, by tag."""
        return {
            int(block[at.TAG]): int(block[at.OFFERED] - block[at.TAKEN])
            for block in blocks_of(self.environment)
        }


def make_scenario(config: ChannelConfig, *streams: Stream, **changes: Any) -> Scenario:
    """What a bench runs; it loads an image by itself."""
    given = {
        "name": "bench",
        "arbiter": ArbiterKind.MCOS,
        "config": config,
        "image": (),
        "ports": one_port(streams),
        "channels": (Channel(latency=LATENCY, credit=CREDIT),),
        "clocks": 0,
        "seed": 0,
    }
    return Scenario(**(given | changes))


def make_bench(dut, *streams: Stream, seed: int, credit: int = CREDIT) -> Bench:
    """A bench around ``dut``; with pauses everywhere and a slow memory if the run asks for them."""
    config = sizes()
    paused = parameters()["paused"]
    pause = PAUSE if paused else 0.0
    memory = RatedMemory(config.bytes_per_clock * (3 if paused else 4) // 4)
    scenario = make_scenario(
        config,
        *streams,
        channels=(Channel(memory=memory, latency=LATENCY, credit=credit),),
        seed=seed,
        offer_pause=pause,
        command_pause=pause,
    )
    bench = Bench(dut, scenario)
    if paused:
        master = bench.registers.master
        for number, side in enumerate(
            (
                master.write_if.aw_channel,
                master.write_if.w_channel,
                master.write_if.b_channel,
                master.read_if.ar_channel,
                master.read_if.r_channel,
            )
        ):
            side.set_pause_generator(pauses(seed + 2 + number))
    dut._log.info("seed %d, paused %s", seed, paused)
    return bench
