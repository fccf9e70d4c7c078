"""Random cases of several channels: a contract, and traffic of which every request is known."""

import dataclasses

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind, channel_map
from mcos_hw.registers.image import ImageCode
from mcos_policy.image import encode, verify
from mcos_policy.settings import Settings
from mcos_sim.lockstep.contracts import random_settings
from mcos_sim.ported.settings import image_words
from mcos_sim.ported.sizes import Ports, fabric_around
from mcos_sim.scenario import FIRST_CLOCK, Channel, Scenario, one_port
from mcos_sim.traffic.stream import REQUEST, STEP, Stream

__all__ = ["random_fabric_case"]


_BLOCKS = 1 << 16
"""Blocks of ``l_max`` bytes among which the addresses of a stream are; each is asked for once."""


def random_fabric_case(
    config: ChannelConfig,
    *,
    ports: Ports,
    channels: int,
    arbiter: ArbiterKind = ArbiterKind.MCOS,
    seed: int,
    clocks: int,
) -> Scenario:
    """The case of a seed.

    Parameters
    ----------
    config : ChannelConfig
        Sizes of each channel.
    ports : Ports
        Tags at each port.
    channels : int
        How many channels.
    arbiter : ArbiterKind
        Who chooses.
    seed : int
        Seed of everything.
    clocks : int
        Clocks with traffic.
    """
    rng = np.random.default_rng((seed, 3))
    settings = random_settings(config, rng, ages=[0] * config.tenants)
    credit = min(settings.channel.port_credit, (1 << config.credit_width) - 1)
    settings = dataclasses.replace(
        settings, channel=dataclasses.replace(settings.channel, port_credit=credit)
    )
    mood = rng.choice(("crowded", "mixed", "sparse"))
    # What is never granted would stand in front of all others at its ports.
    tags = sorted({tag for each in ports for tag in each})
    asking = [
        tag
        for tag in tags
        if settings.tenants[tag].enable and not settings.tenants[tag].refuse_outside
    ]
    streams = [_stream(tag, mood, clocks, channels, config, rng) for tag in asking or tags[:1]]

    def image(settings: Settings) -> tuple[int, ...]:
        return encode(config, channel_map(config), settings, seed).words

    scenario = Scenario(
        name=f"fabric-case-{seed}",
        arbiter=arbiter,
        config=config,
        image=image(settings),
        ports=one_port(streams),
        clocks=FIRST_CLOCK + clocks,
        channels=(
            Channel(
                latency=int(rng.choice((1, 2, 10, 80, 200))), credit=settings.channel.port_credit
            ),
        )
        * channels,
        seed=seed,
        offer_pause=float(rng.choice((0.0, 0.0, 0.1, 0.7))),
        command_pause=float(rng.choice((0.0, 0.0, 0.1, 0.7))),
    )
    scenario = scenario.behind_axi(ports)
    fabric = fabric_around(config, ports, channels)
    if verify(image_words(scenario), fabric) is ImageCode.NONE:
        return scenario
    # A fabric holds what is committed against the pacer's rate too.
    channel = dataclasses.replace(
        settings.channel, pacer_rate=config.bytes_per_clock << config.rate_fraction
    )
    return dataclasses.replace(
        scenario, image=image(dataclasses.replace(settings, channel=channel))
    )


def _stream(
    tag: int,
    mood: str,
    clocks: int,
    channels: int,
    config: ChannelConfig,
    rng: np.random.Generator,
) -> Stream:
    kind = rng.choice(
        {"crowded": ("flood",), "mixed": ("flood", "burst", "trickle")}.get(
            mood, ("trickle", "burst")
        )
    )
    count = {"flood": clocks // 2 * channels, "burst": clocks // 8}.get(kind, clocks // 32)
    count = int(np.clip(count, 1, _BLOCKS // channels))
    requests = np.zeros(count, dtype=REQUEST)
    requests["op"] = rng.random(count) < rng.choice((0.0, 0.3, 1.0))
    sizes = rng.integers(1, config.max_beats + 1, size=count)
    requests["beats"] = sizes if rng.random() < 0.5 else rng.choice((1, config.max_beats))
    requests["address"] = _addresses(count, channels, config, rng)
    room = config.max_beats - requests["beats"].astype(np.int64)
    inside = rng.integers(0, room + 1) * config.beat_bytes
    requests["address"] += inside.astype(np.uint64)
    length = {"flood": count, "burst": int(rng.choice((8, 32, 100)))}.get(kind, 1)
    firsts = np.arange(0, count, length)
    steps = np.zeros(len(firsts), dtype=STEP)
    steps["first"] = firsts
    steps["count"] = np.minimum(length, count - firsts)
    steps["compute"] = rng.choice((0, 1, 10, 100, 1000), size=len(firsts))
    steps["ready"][0] = FIRST_CLOCK + int(rng.choice((0, 0, 5, clocks // 3)))
    window = 1 if kind == "trickle" else int(rng.choice((2, 17, 64, 200)))
    return Stream(
        name=f"{kind}-{tag}",
        tag=tag,
        window=min(window, (1 << config.id_width) - 1),
        closed=True,
        requests=requests,
        steps=steps,
    )


def _addresses(
    count: int, channels: int, config: ChannelConfig, rng: np.random.Generator
) -> np.ndarray:
    """Blocks, each once: one after the other, anywhere, or all of one channel."""
    match rng.choice(("sequential", "random", "random", "hot")):
        case "sequential":
            blocks = np.arange(count)
        case "random":
            blocks = rng.permutation(_BLOCKS)[:count]
        case _:
            blocks = np.arange(count) * channels + int(rng.integers(channels))
    return blocks.astype(np.uint64) * np.uint64(config.l_max)
