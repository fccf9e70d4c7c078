"""The data of a run: every byte is told by its address and its direction."""

from amaranth.hdl import Cat, Const, Value

__all__ = ["beat_data"]


_LANE_BITS = 32
_OF_ADDRESS = 0x9E37_79B1  # odd numbers that mix well: 2**32 / golden ratio, and one of xxHash
_OF_LANE = 0x85EB_CA6B
_OF_WRITES = 0x5A5A_5A5A


def beat_data(address: Value, *, beat_bytes: int, op: Value | int) -> Value:
    """The bytes of a beat.

    Each lane of four bytes is a hash of the beat's number, of the lane and of the direction. A
    beat of another address, or a lane in another place, has other bytes.

    Parameters
    ----------
    address : Value
        Byte address of the beat.
    beat_bytes : int
        Bytes of a beat, at least 4.
    op : Value or int
        Its direction.
    """
    number = address >> (beat_bytes.bit_length() - 1)
    folded = (number[:_LANE_BITS] ^ (number >> _LANE_BITS))[:_LANE_BITS]
    mixed = (folded * _OF_ADDRESS)[:_LANE_BITS]
    turned = (mixed ^ (mixed >> 15)) + Const(0, _LANE_BITS)
    lanes = []
    for lane in range(8 * beat_bytes // _LANE_BITS):
        summed = (turned + Const(lane * _OF_LANE & 0xFFFF_FFFF, _LANE_BITS))[:_LANE_BITS]
        lanes.append(summed ^ (Value.cast(op).replicate(_LANE_BITS) & _OF_WRITES))
    return Cat(lanes)
