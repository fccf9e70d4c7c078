"""What an environment may find wrong with the hardware before it."""

import enum

__all__ = [
    "Fault",
]


class Fault(enum.IntEnum):
    """The first thing that was wrong, with a tenant and what was found."""

    NONE = 0
    UNKNOWN_RESPONSE = 1
    """A response to an id that is not outstanding; found is the id."""
    UNKNOWN_TENANT = 2
    """A grant, command or response to a tenant that asks nothing."""
    GRANT_OF_NOTHING = 3
    """A grant to a tenant all of whose requests were granted; found is their number."""
    COMMAND_OF_NOTHING = 4
    """A command that was not granted; found is its number."""
    WRONG_COMMAND = 5
    """A command that is not its tenant's next request; found is its number."""
    PORT_OVERFULL = 6
    """More bytes at the memory port than its credit; found is how many."""
