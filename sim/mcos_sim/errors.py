"""Mistakes of the person at the terminal, as opposed to ours."""

__all__ = ["UserError"]


class UserError(Exception):
    """Something the user gave cannot be used; the text says the rule, the value and the way out.

    The command prints it as one line and exits with code 2.
    """
