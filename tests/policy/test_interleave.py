"""Interleaves: a bijection, the rule that makes it one, and the hardware's functions."""

import itertools
import random

import numpy as np
import pytest
from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator

from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_hw.link.interleave import interleave_layout
from mcos_hw.port.interleave import channel_of, local_address
from mcos_policy.interleave import Interleave, broken_rule

SEED = 24


def random_interleave(rng: random.Random, channels: int, block_width: int, bits: int) -> Interleave:
    """A hash of address bits under ``bits``."""
    width = (channels - 1).bit_length()
    grain = rng.randrange(8)
    above = ((1 << bits - block_width) - 1) >> grain + width << grain + width
    masks = tuple(1 << grain + j | rng.getrandbits(32) & above for j in range(width))
    return Interleave(grain=grain, masks=masks, block_width=block_width)


@pytest.mark.parametrize("channels", [1, 2, 8, 32])
def test_a_channel_and_a_local_address_name_the_address(channels: int) -> None:
    rng = random.Random(SEED)
    for _ in range(4):
        interleave = random_interleave(rng, channels, 3, 18)
        addresses = np.arange(1 << 18)
        channel, local = interleave.channel(addresses), interleave.local(addresses)
        pairs = channel * len(addresses) + local
        assert len(np.unique(pairs)) == len(addresses)
        assert local.max() == len(addresses) // channels - 1
        assert (interleave.address(channel, local) == addresses).all()
        assert (np.bincount(channel) == len(addresses) // channels).all()


def test_by_default_block_after_block_goes_to_the_next_channel() -> None:
    interleave = Interleave.default(4, 9)
    assert interleave.channels == 4
    assert interleave.channel([0, 511, 512, 1024, 1536, 2048]).tolist() == [0, 0, 1, 2, 3, 0]
    assert interleave.local([0, 511, 512, 1024, 1536, 2048]).tolist() == [0, 511, 0, 0, 0, 512]
    assert Interleave.default(1, 9).local(12345).tolist() == 12345


@pytest.mark.parametrize(
    ("grain", "masks", "rule"),
    [
        (8, (1 << 8,), "a grain in 0..7, not 8"),
        (1, (1, 4), "bit 1 in mask 0 and no other one up to bit 2, not 0x1"),
        (0, (1, 3), "bit 1 in mask 1 and no other one up to bit 1, not 0x3"),
        (2, (4, 9), "bit 3 in mask 1 and no other one up to bit 3, not 0x9"),
        (0, (1 << 32 | 1,), "masks of 32 bits, not 0x100000001"),
    ],
)
def test_what_is_no_bijection_is_refused(grain: int, masks: tuple[int, ...], rule: str) -> None:
    assert broken_rule(grain, masks) == rule
    with pytest.raises(ValueError, match=f"an interleave must have {rule}"):
        Interleave(grain=grain, masks=masks, block_width=9)


def test_the_rule_takes_only_bijections_and_all_that_keep_the_window_apart() -> None:
    """Every pair of masks of four bits over all addresses of these bits, two channel bits."""
    taken = 0
    for grain, *masks in itertools.product(range(3), range(16), range(16)):
        if not broken_rule(grain, masks):
            taken += 1
            interleave = Interleave(grain=grain, masks=tuple(masks), block_width=0)
            addresses = np.arange(16)
            pairs = interleave.channel(addresses) * 16 + interleave.local(addresses)
            assert len(set(pairs.tolist())) == 16
    assert taken == 16 + 4 + 1


@pytest.mark.parametrize("channels", [2, 8, 32])
def test_the_hardware_has_the_same_channel_and_local_address(channels: int) -> None:
    fabric = FabricConfig.around(
        ChannelConfig(), channels=channels, ports=(PortConfig(read_units=256, write_units=256),)
    )
    rng = random.Random(SEED)
    layout = interleave_layout(fabric)
    setting, address = Signal(layout), Signal(fabric.channel.address_width)
    channel, local = Signal(fabric.channel_width), Signal(fabric.channel.address_width)
    m = Module()
    m.d.comb += [
        channel.eq(channel_of(fabric, setting, address)),
        local.eq(local_address(fabric, setting, address)),
    ]
    bits = min(fabric.block_width + 32, fabric.channel.address_width)

    async def testbench(ctx) -> None:
        for _ in range(20):
            interleave = random_interleave(rng, channels, fabric.block_width, bits)
            ctx.set(setting, {"grain": interleave.grain, "masks": list(interleave.masks)})
            for _ in range(10):
                asked = rng.getrandbits(fabric.channel.address_width)
                ctx.set(address, asked)
                assert ctx.get(channel) == interleave.channel(asked)
                assert ctx.get(local) == interleave.local(asked)

    simulator = Simulator(m)
    simulator.add_testbench(testbench)
    simulator.run()
