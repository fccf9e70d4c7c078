"""Scenarios of several channels."""

import dataclasses

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_hw.link.request import Op
from mcos_policy.interleave import Interleave
from mcos_sim.ported.sizes import Ports
from mcos_sim.scenario import FIRST_CLOCK, Channel, Scenario
from mcos_sim.traffic.stream import Stream
from tests.sim.cosim.recipes import LATENCY, contract, image, make_scenario, stream

CONFIG = ChannelConfig(tenants=4, bytes_per_clock=16, beat_bytes=16, max_beats=8, slots=32)
PORTS = ((0, 1), (2, 1))
CLOCKS = 6_000
CREDIT = 4_096
EPOCH = 1_000


def scenario(
    *streams: Stream,
    channels: int = 2,
    ports: Ports = PORTS,
    clocks: int = CLOCKS,
    credit: int = CREDIT,
    epoch: int = EPOCH,
) -> Scenario:
    """Each of three tenants is guaranteed a quarter of each channel."""
    guarantees = dict.fromkeys(range(3), CONFIG.bytes_per_clock // 4)
    fields = {"port_credit": credit, "epoch_clocks": epoch}
    settings = contract(CONFIG, guarantees, channel=fields)
    return make_scenario(
        CONFIG,
        *streams,
        image=image(CONFIG, settings).words,
        clocks=clocks,
        channels=(Channel(latency=LATENCY, credit=CREDIT),) * channels,
    ).behind_axi(ports)


def spread(asked: Stream) -> Stream:
    """A stream whose addresses come to every channel."""
    requests = asked.requests.copy()
    blocks = np.random.default_rng(asked.tag).integers(0, 1 << 30, len(requests))
    requests["address"] = blocks * CONFIG.l_max
    return dataclasses.replace(asked, requests=requests)


def heavy(channels: int = 2) -> list[Stream]:
    """As much as fits: reads and writes of all sizes, far more than the channels pass."""
    return [
        spread(stream(tag, requests=1_000 * channels, beats=(1, 8), window=48 * channels))
        for tag in range(3)
    ]


def flood() -> Stream:
    """Tenant 1 writes at both ports, far more than the channels pass."""
    return of_one(Op.WRITE, spread(stream(1, requests=4_000, beats=(8, 8), window=1_000)))


def reader() -> Stream:
    """Tenant 0 reads a fifth of what the channels pass, at one of the ports."""
    asked = stream(
        0, requests=400, steps=400, beats=(4, 4), window=8, ready=FIRST_CLOCK + 500, every=10
    )
    return of_one(Op.READ, spread(asked))


def of_one(op: Op, asked: Stream) -> Stream:
    """A stream of reads alone, or of writes alone."""
    requests = asked.requests.copy()
    requests["op"] = op
    return dataclasses.replace(asked, requests=requests)


def light() -> list[Stream]:
    """A request of each tenant now and then."""
    return [
        spread(
            stream(
                tag,
                requests=200,
                steps=200,
                beats=(1, 8),
                window=4,
                ready=FIRST_CLOCK + 7 * tag,
                every=24,
            )
        )
        for tag in range(3)
    ]


SPREADING = Interleave(grain=1, masks=(0b1101_0010,), block_width=7)
"""Two blocks a grain, and a hash with higher bits."""


def at_channel(channel: int, asked: Stream) -> Stream:
    """A stream whose addresses lie in one channel under :data:`SPREADING`."""
    requests = asked.requests.copy()
    requests["address"] = SPREADING.address(channel, requests["address"])
    return dataclasses.replace(asked, requests=requests)


def served(result) -> dict[int, int]:
    """Requests of each tenant that were answered."""
    return {t.tag: int(np.count_nonzero(t.completed >= 0)) for t in result.tenants}
