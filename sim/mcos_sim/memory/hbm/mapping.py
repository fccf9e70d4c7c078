"""Which bank, row and column an address is in, as data."""

import dataclasses
import enum

import numpy as np

from mcos_sim.memory.hbm.preset import Preset
from mcos_sim.memory.hbm.serve_requests import BURST

__all__ = [
    "Field",
    "Mapping",
    "bank_steps",
    "bursts_of",
    "coloured_mapping",
    "default_mapping",
]


class Field(enum.StrEnum):
    """Parts of a place in a channel."""

    PSEUDO_CHANNEL = "pseudo_channel"
    STACK_ID = "stack_id"
    BANK_GROUP = "bank_group"
    BANK = "bank"
    ROW = "row"
    COLUMN = "column"


@dataclasses.dataclass(frozen=True)
class Mapping:
    """Fields of an address above its burst, from the lowest bit up; a field may come in parts.

    Parameters
    ----------
    fields : tuple[tuple[Field, int], ...]
        Each part and its bits; parts of one field from its low bits up.
    """

    fields: tuple[tuple[Field, int], ...]

    def bits(self, field: Field) -> int:
        """Bits of a field in all of its parts."""
        return sum(count for each, count in self.fields if each is field)

    def bank_bits(self, burst_bytes: int) -> tuple[int, ...]:
        """Address bits that select a bank, lowest first."""
        found, bit = [], (burst_bytes - 1).bit_length()
        for field, count in self.fields:
            if field not in (Field.ROW, Field.COLUMN):
                found += range(bit, bit + count)
            bit += count
        return tuple(found)

    def place(self, addresses: np.ndarray, burst_bytes: int) -> dict[Field, np.ndarray]:
        """Fields of byte addresses; what lies above the highest one goes round.

        Parameters
        ----------
        addresses : numpy.ndarray
            Shape (n,), any integers.
        burst_bytes : int
            Bytes of a burst, a power of two.
        """
        rest = np.asarray(addresses).astype(np.int64) // burst_bytes
        found = {field: np.zeros(len(rest), dtype=np.int64) for field in Field}
        taken = dict.fromkeys(Field, 0)
        for field, count in self.fields:
            found[field] |= (rest & ((1 << count) - 1)) << taken[field]
            taken[field] += count
            rest >>= count
        return found


def _bits(count: int) -> int:
    return (count - 1).bit_length()


def coloured_mapping(preset: Preset) -> Mapping:
    """Blocks of two bursts spread over pseudo channels and two bank groups, then along the row.

    A page of 4 KiB is a whole row of four banks, and the bits above it select which four: as many
    colours as a channel has banks over four, 16 for HBM3. A stream still runs at the data bus's
    rate, as two bank groups take turns in each pseudo channel.
    """
    return Mapping(
        (
            (Field.COLUMN, 1),
            (Field.PSEUDO_CHANNEL, _bits(preset.pseudo_channels)),
            (Field.BANK_GROUP, 1),
            (Field.COLUMN, _bits(preset.columns) - 1),
            (Field.BANK_GROUP, _bits(preset.bank_groups) - 1),
            (Field.STACK_ID, _bits(preset.stack_ids)),
            (Field.BANK, _bits(preset.banks)),
            (Field.ROW, _bits(preset.rows)),
        )
    )


def default_mapping(preset: Preset) -> Mapping:
    """Blocks of two bursts spread over pseudo channels and bank groups, then along the row.

    From the lowest bit up: a column bit, pseudo channel, bank group, the other column bits, stack
    id, bank, row: neighbouring blocks are in different bank groups of different pseudo channels, so
    that a stream runs at the data bus's rate, and a row of every group is read to its end.
    """

    return Mapping(
        (
            (Field.COLUMN, 1),
            (Field.PSEUDO_CHANNEL, _bits(preset.pseudo_channels)),
            (Field.BANK_GROUP, _bits(preset.bank_groups)),
            (Field.COLUMN, _bits(preset.columns) - 1),
            (Field.STACK_ID, _bits(preset.stack_ids)),
            (Field.BANK, _bits(preset.banks)),
            (Field.ROW, _bits(preset.rows)),
        )
    )


def bank_steps(preset: Preset) -> dict[Field, int]:
    """What one step of each field is in the number of a bank; columns and rows are not in it."""
    steps = {}
    banks = 1
    for field, count in (
        (Field.BANK, preset.banks),
        (Field.BANK_GROUP, preset.bank_groups),
        (Field.STACK_ID, preset.stack_ids),
        (Field.PSEUDO_CHANNEL, preset.pseudo_channels),
    ):
        steps[field] = banks
        banks *= count
    return steps


def bursts_of(
    addresses: np.ndarray,
    preset: Preset,
    *,
    size: int,
    mapping: Mapping | None = None,
    write: np.ndarray | bool = False,
    arrival: np.ndarray | int = 0,
) -> np.ndarray:
    """Bursts of requests of one size, in order, each request's by rising address.

    Parameters
    ----------
    addresses : numpy.ndarray
        Shape (requests,): byte address of each.
    preset : Preset
        The device.
    size : int
        Bytes of each, a multiple of a burst.
    mapping : Mapping or None
        Where addresses are; :func:`default_mapping` if None.
    write : numpy.ndarray or bool
        Shape (requests,) or one for all: whether it writes.
    arrival : numpy.ndarray or int
        Likewise: tick from which it may be taken.

    Returns
    -------
    numpy.ndarray
        Shape (requests * size / burst,), dtype :data:`mcos_sim.memory.hbm.serve_requests.BURST`.

    Raises
    ------
    ValueError
        If ``size`` is not a multiple of a burst.
    """
    count, rest = divmod(size, preset.burst_bytes)
    if rest or not count:
        raise ValueError(f"size must be a multiple of {preset.burst_bytes}, not {size!r}")
    first = np.asarray(addresses).astype(np.int64)
    every = (first[:, None] + np.arange(count) * preset.burst_bytes).ravel()
    at = (mapping or default_mapping(preset)).place(every, preset.burst_bytes)
    bursts: np.ndarray = np.zeros(len(every), dtype=BURST)
    bursts["bank"] = sum(at[field] * banks for field, banks in bank_steps(preset).items())
    bursts["row"] = at[Field.ROW]
    for name, value in (("write", write), ("arrival", arrival)):
        bursts[name] = np.repeat(np.broadcast_to(value, len(first)), count)
    return bursts
