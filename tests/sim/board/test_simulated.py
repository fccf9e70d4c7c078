"""All of a board but its pins, in co-simulation: software speaks to it over the serial line.

Building two channels with eight AXI ports takes minutes, so these run by ``make soak`` alone.
"""

import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_hw.registers.frames import REGION_WIDTH
from mcos_hw.registers.image import HeaderWord, ImageCode
from mcos_hw.targets.ulx3s import board_config
from mcos_policy.client import ClientError
from mcos_policy.client.board import Board, Pattern
from mcos_policy.client.framed import FramedTransport
from mcos_policy.compiler import compile_contract
from mcos_policy.image import Image
from mcos_policy.samples import SAMPLES
from mcos_sim.board.simulated import simulated_board

pytestmark = [pytest.mark.cocotb, pytest.mark.soak]

BIT_CLOCKS = 4
DECODE = Pattern(interval=48, window=4, beats=8)
PREFILL = Pattern(window=16, beats=16, writes=1)


def test_fcfs_and_mcos_side_by_side(tmp_path):
    config = board_config((ArbiterKind.MCOS, ArbiterKind.FCFS), bit_clocks=BIT_CLOCKS)
    image = compile_contract(SAMPLES["ulx3s"], ChannelConfig(tenants=4)).image
    words = list(image.words)
    words[HeaderWord.CLOCK] += 1
    with simulated_board(config, tmp_path) as line:
        board = Board(FramedTransport(line))
        assert board.arbiters == (ArbiterKind.MCOS, ArbiterKind.FCFS)
        for lane in board.lanes:
            with pytest.raises(ClientError) as caught:
                lane.load(Image(words=tuple(words)))
            assert caught.value.code is ImageCode.CLOCK
            assert lane.load(image).generation == 1
        with pytest.raises(ClientError, match="NOWHERE: there is no register at the address"):
            board.transport.read32(3 << REGION_WIDTH)
        board.map_ports()

        for tenant in range(3):
            board.generate(tenant, DECODE)
        line.wait(2_000)
        board.clear()
        line.wait(6_000)
        alone = board.counts()
        board.generate(3, PREFILL)
        line.wait(4_000)
        board.clear()
        line.wait(20_000)
        loaded = board.counts()

        for found in (alone, loaded):
            assert all(each.wrong == 0 for lane in found for each in lane)
        mcos, fcfs = loaded
        for tenant in range(3):
            before = max(lane[tenant].latency_most for lane in alone)
            # A prefill's window of requests of 16 clocks stands before a decoder's under FCFS.
            assert fcfs[tenant].latency_mean > 150
            assert mcos[tenant].latency_mean < 1.5 * before
            assert fcfs[tenant].latency_mean > 3 * mcos[tenant].latency_mean
        assert mcos[3].answered > 500
        # All tenants are granted, and only under FCFS an answer is late.
        assert line.lights == 0b0100_1111
