"""What the command reports in words: mistakes of its user, and failures of the hardware."""

__all__ = [
    "HardwareError",
    "UserError",
]


class UserError(Exception):
    """Something the user gave cannot be used; the text says the rule, the value and the way out.

    The command prints it as one line and exits with code 2.
    """


class HardwareError(Exception):
    """The design could not be built or failed a check; the text says which, and names the log.

    The command prints it and exits with code 1.
    """
