"""Counting bits of state."""

from mcos_sim.synthesis import state
from mcos_sim.synthesis.netlist import Netlist
from mcos_sim.synthesis.state import StateBits
from tests.sim.synthesis.small import netlist


def test_bits_are_counted_by_block():
    assert state.count(Netlist(netlist()["modules"]["mcos"])) == [
        StateBits(block="controller.channel.lane_*", flip_flops=4, memory=0),
        StateBits(block="controller.channel.queues", flip_flops=0, memory=32),
    ]


def test_summary_groups_blocks():
    def block(name, flip_flops, memory=0):
        return StateBits(block=name, flip_flops=flip_flops, memory=memory)

    found = state.summary(
        [
            block("controller.channel.buckets_*", 160),
            block("controller.channel.arbiter", 10),
            block("controller.channel.arbiter.order", 20),
            block("controller.channel.queues", 5, 1000),
            block("controller.channel.pacer", 7),
            block("controller.control.bank", 3),
        ]
    )
    assert found == {
        "buckets": 160,
        "queues": 1005,
        "registers": 3,
        "rest of the channel": 7,
        "tags and order": 30,
    }


def test_bits_of_one_more_tenant():
    found = state.per_tenant(
        {"buckets": 800, "pacer": 9}, {"buckets": 480, "pacer": 9}, tenants=8, other=4
    )
    assert found == {"buckets": 80.0, "pacer": 0.0}
