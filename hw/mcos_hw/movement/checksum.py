"""CRC-32C of a frame whose pieces are copied in any order.

The checksum is the Castagnoli CRC as iSCSI has it (RFC 3720, appendix B.4): reflected, begun with
all ones, complemented at the end. Bytes count in the order of their addresses.

A CRC is linear. What a piece contributes is its own remainder times ``x`` to the power of the bits
behind it in the frame; the sum of all contributions is the remainder of the frame. So each piece
carries the power that belongs to its place, its *weight*, and pieces may come in any order.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from operator import xor

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import FabricConfig, MovementConfig
from mcos_hw.link.job import CHECKSUM_WIDTH

__all__ = [
    "Checksum",
    "first_weight",
    "next_weight",
]


_POLYNOMIAL = 0x82F63B78
"""Castagnoli's, reflected: bit 31 - k stands for x to the power of k."""

_ONES = (1 << CHECKSUM_WIDTH) - 1

_UNIT = 1 << CHECKSUM_WIDTH - 1
"""The polynomial 1."""


def _times_x(value: int) -> int:
    return value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)


def _over_x(value: int) -> int:
    """The polynomial whose product with x this is: x has an inverse, as the CRC's has a 1."""
    return (value ^ _POLYNOMIAL) << 1 | 1 if value & _UNIT else value << 1


def _repeated(function: Callable[[int], int], times: int) -> Callable[[int], int]:
    return lambda value: reduce(lambda so_far, _: function(so_far), range(times), value)


def _mapped(value: Value, images: Sequence[int], width: int = CHECKSUM_WIDTH) -> Value:
    """The sum of the images of those bits that are set: a linear map in gates."""
    return Cat(
        reduce(xor, [value[i] for i, image in enumerate(images) if image >> bit & 1], Const(0, 1))
        for bit in range(width)
    )


def first_weight(fabric: FabricConfig, movement: MovementConfig) -> int:
    """The weight of the first piece of a frame."""
    behind = 8 * (movement.frame_bytes - fabric.channel.l_max)
    return _repeated(_times_x, behind)(_UNIT)


def next_weight(fabric: FabricConfig, weight: Value) -> Value:
    """The weight of the piece behind one with this weight, in logic."""
    smaller = _repeated(_over_x, 8 * fabric.channel.l_max)
    return _mapped(weight, [smaller(1 << i) for i in range(CHECKSUM_WIDTH)])


class Checksum(wiring.Component):
    """Adds up the checksums of frames while their pieces pass.

    The beats of a piece come in order and without those of another one in between, one a clock.
    Its contribution counts two clocks after its last beat. The checksum of a job that copied a
    whole frame is that of the frame; of other jobs it means nothing.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes of the fabric.
    movement : MovementConfig
        Sizes of the engines.

    Members
    -------
    clear : In(jobs)
        Bit j: job j begins.
    stb : In(1)
        A beat of a piece passes in this clock.
    last : In(1)
        It is the piece's last one.
    first : In(1)
        The piece is the first one of its job.
    number, weight : In(job_width), In(32)
        Its job and its weight.
    data : In(8 * beat_bytes)
        The beat.
    which : In(job_width)
        The job that is asked for.
    checksum : Out(32)
        Its checksum, in the same clock.
    """

    clear: Signal
    stb: Signal
    last: Signal
    first: Signal
    number: Signal
    weight: Signal
    data: Signal
    which: Signal
    checksum: Signal

    def __init__(self, fabric: FabricConfig, movement: MovementConfig) -> None:
        self.fabric = fabric
        self.movement = movement
        super().__init__(
            {
                "clear": In(movement.jobs),
                "stb": In(1),
                "last": In(1),
                "first": In(1),
                "number": In(movement.job_width),
                "weight": In(CHECKSUM_WIDTH),
                "data": In(8 * fabric.beat_bytes),
                "which": In(movement.job_width),
                "checksum": Out(CHECKSUM_WIDTH),
            }
        )

    def elaborate(self, platform):
        m = Module()
        bits = 8 * self.fabric.beat_bytes
        # The remainder of the piece so far. With the first bits of a beat it enters the same map
        # as the beat, as the CRC adds both before it shifts.
        remainder = Signal(CHECKSUM_WIDTH)
        begun = Signal()
        before = Mux(begun, remainder, Mux(self.first, _ONES, 0))
        images = [_UNIT]
        for _ in range(bits):
            images.append(_times_x(images[-1]))
        # Bit i of a beat is i bits before its end, and so x to the power of bits - i.
        images = [_repeated(_times_x, CHECKSUM_WIDTH - 1)(images[bits - i]) for i in range(bits)]
        after = Signal(CHECKSUM_WIDTH)
        m.d.comb += after.eq(_mapped(self.data ^ before, images))
        whole = Signal()
        whole_number = Signal(self.movement.job_width)
        whole_weight = Signal(CHECKSUM_WIDTH)
        m.d.sync += [
            whole.eq(self.stb & self.last),
            whole_number.eq(self.number),
            whole_weight.eq(self.weight),
        ]
        with m.If(self.stb):
            m.d.sync += [remainder.eq(after), begun.eq(~self.last)]

        contribution = Signal(CHECKSUM_WIDTH)
        m.d.comb += contribution.eq(_product(m, remainder, whole_weight))
        sums = []
        for j in range(self.movement.jobs):
            total = Signal(CHECKSUM_WIDTH, name=f"sum_{j}")
            with m.If(self.clear[j]):
                m.d.sync += total.eq(0)
            with m.Elif(whole & (whole_number == j)):
                m.d.sync += total.eq(total ^ contribution)
            sums.append(total)
        m.d.comb += self.checksum.eq(Array(sums)[self.which] ^ _ONES)
        return m


def _product(m: Module, left: Value, right: Value) -> Value:
    """The product of two polynomials, in logic."""
    # Bit 31 - k of ``left`` takes ``right`` times x to the power of k.
    images = [_times_x(1 << i) for i in range(CHECKSUM_WIDTH)]
    power = right
    total: Value = Const(0, CHECKSUM_WIDTH)
    for k in range(CHECKSUM_WIDTH):
        total ^= Mux(left[CHECKSUM_WIDTH - 1 - k], power, 0)
        following = Signal(CHECKSUM_WIDTH, name=f"power_{k + 1}")
        m.d.comb += following.eq(_mapped(power, images))
        power = following
    return total
