"""When a device takes a command: the earliest tick in each part of the channel, kept up to date."""

from collections.abc import Sequence

import numpy as np

from mcos_sim.compiling import compiled
from mcos_sim.memory.hbm import layout as at
from mcos_sim.memory.hbm.constraint import CONSTRAINTS, Command, Constraint, ticks_between
from mcos_sim.memory.hbm.preset import Preset

__all__ = [
    "gate",
    "issue",
    "load_device",
    "ready",
    "ready_within",
    "word",
]


_ACT = Command.ACT.value

_NODES = (0, at.PSEUDO_CHANNELS, at.STACK_IDS, at.BANK_GROUPS, at.BANK_NODES)
"""First part of each level."""


def load_device(
    m: np.ndarray, preset: Preset, *, constraints: Sequence[Constraint] = CONSTRAINTS
) -> None:
    """Put a device into an empty state.

    Parameters
    ----------
    m : numpy.ndarray
        State, by :mod:`mcos_sim.memory.hbm.layout`.
    preset : Preset
        The device.
    constraints : Sequence[Constraint]
        What holds between its commands.

    Raises
    ------
    ValueError
        If the device's organisation is none that the state has room for.
    """
    if preset.all_banks > at.BANKS or (preset.banks, preset.bank_groups) != (4, 4):
        raise ValueError(
            f"a device must have 4 bank groups of 4 banks and at most {at.BANKS} banks, "
            f"not {preset.bank_groups} of {preset.banks} and {preset.all_banks}"
        )
    pseudo_channel_shift = at.STACK_ID_SHIFT + (preset.stack_ids - 1).bit_length()
    m[at.PSEUDO_CHANNEL_SHIFT] = pseudo_channel_shift
    for k in range(preset.pseudo_channels):
        ones = (1 << (1 << pseudo_channel_shift)) - 1
        m[at.PSEUDO_CHANNEL_BANKS + k] = np.uint64(ones << (k << pseudo_channel_shift)).astype(
            np.int64
        )
    m[at.PSEUDO_CHANNEL_COUNT] = preset.pseudo_channels
    m[at.STACK_ID_COUNT] = preset.stack_ids
    m[at.READ_LATENCY] = 2 * (preset.timing["nCL"] + preset.timing["nBL"])
    m[at.FALLING_PRECHARGE] = preset.falling_precharge
    m[at.ACT_LENGTH] = preset.lengths[Command.ACT]
    m[at.WINDOW : at.WINDOW + at.WINDOW_PLACES * preset.pseudo_channels] = -at.NEVER
    shifts = (
        at.BANKS.bit_length() - 1,
        pseudo_channel_shift,
        at.STACK_ID_SHIFT,
        at.BANK_GROUP_SHIFT,
        0,
    )

    def rows(constraint: Constraint, command: Command) -> list[tuple[int, int, int]]:
        """Shift of a bank, first place and distance for each command that has to follow."""
        if command not in constraint.preceding:
            return []
        level = constraint.level
        return [
            (
                shifts[level],
                at.ALLOWED + following * at.NODES + _NODES[level],
                ticks_between(
                    constraint,
                    command,
                    following,
                    timing=preset.timing,
                    lengths=preset.lengths,
                ),
            )
            for following in constraint.following
        ]

    plain = [each for each in constraints if each.window == 1 and not each.siblings]
    others = [each for each in constraints if each.siblings and preset.stack_ids > 1]
    for window in (each for each in constraints if each.window > 1):
        ((_, _, m[at.WINDOW_TICKS]),) = rows(window, Command.ACT)
    for first, table, places, held in (
        (at.RULE_FIRST, at.RULES, at.RULE_PLACES, plain),
        (at.SIBLING_FIRST, at.SIBLINGS, at.SIBLING_PLACES, others),
    ):
        count = 0
        for command in Command:
            m[first + command] = count
            for constraint in held:
                for row in rows(constraint, command):
                    if count == places:
                        raise ValueError(f"a device must have at most {places} rules of a kind")
                    m[table + at.RULE * count : table + at.RULE * (count + 1)] = row
                    count += 1
        m[first + len(Command)] = count


@compiled
def word(m, place):
    """``m[place]``; an index without a sign needs no look at whether it counts from the end."""
    return m[np.uintp(place)]


@compiled
def gate(m, command, pseudo_channel):
    """The earliest tick of a command to a pseudo channel, whatever the bank."""
    place = at.ALLOWED + command * at.NODES
    return max(word(m, place), word(m, place + at.PSEUDO_CHANNELS + pseudo_channel))


@compiled
def ready_within(m, command, bank):
    """The earliest tick of a command to a bank as far as the bank's pseudo channel lets it."""
    place = at.ALLOWED + command * at.NODES
    tick = max(
        word(m, place + at.STACK_IDS + (bank >> at.STACK_ID_SHIFT)),
        word(m, place + at.BANK_GROUPS + (bank >> at.BANK_GROUP_SHIFT)),
    )
    return max(tick, word(m, place + at.BANK_NODES + bank))


@compiled
def ready(m, command, bank):
    """The earliest tick of a command to a bank, or to all banks of its pseudo channel."""
    return max(gate(m, command, bank >> m[at.PSEUDO_CHANNEL_SHIFT]), ready_within(m, command, bank))


@compiled
def _put_off(m, place, tick):
    """A command may not be earlier than a tick."""
    m[np.uintp(place)] = max(word(m, place), tick)


@compiled
def issue(m, command, bank, tick):
    """Take a command; whatever has to keep its distance is put off."""
    m[np.uintp(at.ISSUED + command)] += 1
    for k in range(word(m, at.RULE_FIRST + command), word(m, at.RULE_FIRST + command + 1)):
        rule = at.RULES + at.RULE * k
        _put_off(m, word(m, rule + 1) + (bank >> word(m, rule)), tick + word(m, rule + 2))
    for k in range(word(m, at.SIBLING_FIRST + command), word(m, at.SIBLING_FIRST + command + 1)):
        rule = at.SIBLINGS + at.RULE * k
        own = bank >> at.STACK_ID_SHIFT
        first = own & -m[at.STACK_ID_COUNT]
        for other in range(first, first + m[at.STACK_ID_COUNT]):
            if other != own:
                _put_off(m, word(m, rule + 1) + other, tick + word(m, rule + 2))
    if command == _ACT:
        pseudo_channel = bank >> m[at.PSEUDO_CHANNEL_SHIFT]
        last = at.WINDOW + at.WINDOW_PLACES * pseudo_channel
        for k in range(at.WINDOW_PLACES - 1):
            m[np.uintp(last + k)] = word(m, last + k + 1)
        m[np.uintp(last + at.WINDOW_PLACES - 1)] = tick
        place = at.ALLOWED + _ACT * at.NODES + at.PSEUDO_CHANNELS + pseudo_channel
        _put_off(m, place, word(m, last) + m[at.WINDOW_TICKS])
