"""What the command reports in words, and the exit code of each kind."""

import enum

__all__ = [
    "ExitCode",
    "HardwareError",
    "InternalError",
    "UserError",
]


class ExitCode(enum.IntEnum):
    """Exit codes of the command; 128 and a signal's number where a signal ends it."""

    DONE = 0
    FAILED = 1
    """A rule, a mark or a check fails: what was run is not as it should be."""
    USER_ERROR = 2
    """Something given cannot be used: an option, a file, a missing tool, a full disk."""
    INTERNAL_ERROR = 3
    """The fault is in MCOS."""


class UserError(Exception):
    """Something the user gave cannot be used; the text says the rule, the value and the way out.

    The command prints it and exits with code 2.
    """


class HardwareError(Exception):
    """The design failed a check; the text says which, and names the log.

    The command prints it and exits with code 1.
    """


class InternalError(Exception):
    """A step that depends on nothing the user gave has failed; the text names the log.

    The command prints it, says where to report it and exits with code 3.
    """
