"""What a DRAM device demands between its commands, as data."""

import dataclasses
import enum
from collections.abc import Mapping

__all__ = [
    "CONSTRAINTS",
    "Command",
    "Constraint",
    "Level",
    "ticks_between",
]


class Command(enum.IntEnum):
    """Commands of a device; those for all banks are to a pseudo channel."""

    ACT = 0
    PREPB = 1
    PREAB = 2
    RD = 3
    WR = 4
    REFAB = 5
    REFPB = 6


class Level(enum.IntEnum):
    """Which part of a channel a constraint holds in."""

    CHANNEL = 0
    PSEUDO_CHANNEL = 1
    STACK_ID = 2
    BANK_GROUP = 3
    BANK = 4


@dataclasses.dataclass(frozen=True)
class Constraint:
    """A least distance between two commands in the same part of a channel.

    Parameters
    ----------
    level : Level
        Part of the channel.
    preceding, following : tuple[Command, ...]
        Commands that it is about.
    distance : tuple[str, ...]
        Timing parameters whose sum it is, in clocks of the command bus; without any, the time that
        the preceding command takes on the bus.
    window : int
        It counts from the ``window``-th last preceding command.
    siblings : bool
        The following command is in another part below the same parent, not in the same one.
    """

    level: Level
    preceding: tuple[Command, ...]
    following: tuple[Command, ...]
    distance: tuple[str, ...]
    window: int = 1
    siblings: bool = False


ACT, PREPB, PREAB, RD, WR, REFAB, REFPB = Command
CHANNEL, PSEUDO_CHANNEL, STACK_ID, BANK_GROUP, BANK = Level

CONSTRAINTS = (
    # The buses of row and of column commands carry one at a time.
    Constraint(CHANNEL, (ACT,), (ACT, PREPB, PREAB, REFAB, REFPB), ()),
    Constraint(CHANNEL, (RD, WR), (RD, WR), ()),
    Constraint(PSEUDO_CHANNEL, (RD,), (RD,), ("nCCDS",)),
    Constraint(PSEUDO_CHANNEL, (WR,), (WR,), ("nCCDS",)),
    Constraint(PSEUDO_CHANNEL, (RD,), (WR,), ("nRTW",)),
    Constraint(PSEUDO_CHANNEL, (WR,), (RD,), ("nCWL", "nBL", "nWTRS")),
    Constraint(PSEUDO_CHANNEL, (RD,), (PREAB,), ("nRTP",)),
    Constraint(PSEUDO_CHANNEL, (WR,), (PREAB,), ("nCWL", "nBL", "nWR")),
    Constraint(PSEUDO_CHANNEL, (ACT,), (ACT,), ("nRRDS",)),
    Constraint(PSEUDO_CHANNEL, (ACT,), (ACT,), ("nFAW",), window=4),
    Constraint(PSEUDO_CHANNEL, (ACT,), (PREAB,), ("nRAS",)),
    Constraint(PSEUDO_CHANNEL, (PREAB,), (ACT,), ("nRP",)),
    Constraint(PSEUDO_CHANNEL, (PREPB, PREAB), (PREPB, PREAB), ("nPPD",)),
    Constraint(PSEUDO_CHANNEL, (ACT,), (REFAB,), ("nRC",)),
    Constraint(PSEUDO_CHANNEL, (PREPB, PREAB), (REFAB,), ("nRP",)),
    Constraint(PSEUDO_CHANNEL, (REFAB,), (ACT,), ("nRFC",)),
    Constraint(PSEUDO_CHANNEL, (REFAB,), (PREAB,), ("nRFC",)),
    Constraint(PSEUDO_CHANNEL, (REFPB,), (REFPB,), ("nRREFD",)),
    Constraint(PSEUDO_CHANNEL, (REFPB,), (ACT,), ("nRREFD",)),
    Constraint(PSEUDO_CHANNEL, (ACT,), (REFPB,), ("nRRDS",)),
    Constraint(STACK_ID, (RD,), (RD,), ("nCCDS",)),
    Constraint(STACK_ID, (WR,), (WR,), ("nCCDS",)),
    Constraint(STACK_ID, (RD,), (RD,), ("nCCDR",), siblings=True),
    Constraint(BANK_GROUP, (RD,), (RD,), ("nCCDL",)),
    Constraint(BANK_GROUP, (WR,), (WR,), ("nCCDL",)),
    Constraint(BANK_GROUP, (WR,), (RD,), ("nCWL", "nBL", "nWTRL")),
    Constraint(BANK_GROUP, (ACT,), (ACT,), ("nRRDL",)),
    Constraint(BANK, (ACT,), (ACT,), ("nRC",)),
    Constraint(BANK, (ACT,), (RD,), ("nRCDRD",)),
    Constraint(BANK, (ACT,), (WR,), ("nRCDWR",)),
    Constraint(BANK, (ACT,), (PREPB,), ("nRAS",)),
    Constraint(BANK, (PREPB,), (ACT,), ("nRP",)),
    Constraint(BANK, (RD,), (PREPB,), ("nRTP",)),
    Constraint(BANK, (WR,), (PREPB,), ("nCWL", "nBL", "nWR")),
    Constraint(BANK, (REFPB,), (ACT,), ("nRFCpb",)),
    Constraint(BANK, (ACT,), (REFPB,), ("nRC",)),
    Constraint(BANK, (PREPB,), (REFPB,), ("nRP",)),
)
"""Constraints of HBM2 and HBM3 for the commands above.

JEDEC JESD235D and JESD238A name the parameters; which of them stands between which commands is as
in Ramulator 2.1 (CMU-SAFARI, ``dram/hbm3.py``), which the model is checked against.
"""


def ticks_between(
    constraint: Constraint,
    preceding: Command,
    following: Command,
    *,
    timing: Mapping[str, int],
    lengths: Mapping[Command, int],
) -> int:
    """The least distance in ticks, from the first tick of one command to that of the other.

    A tick is half a clock of the command bus. Parameters count from and to the last tick of a
    command that takes several.

    Parameters
    ----------
    constraint : Constraint
        What holds.
    preceding, following : Command
        Two of its commands.
    timing : Mapping[str, int]
        Parameters in clocks.
    lengths : Mapping[Command, int]
        Ticks that each command is on the bus.
    """
    if not constraint.distance:
        return lengths[preceding]
    nominal = 2 * sum(timing[name] for name in constraint.distance)
    return nominal + (lengths[preceding] - 1) - (lengths[following] - 1)
