"""What the two numbers of a violation count, and in which unit people read them."""

import enum

__all__ = ["Quantity"]


class Quantity(enum.IntEnum):
    """What a violation's value and what was expected are."""

    GRANT = enum.auto()
    """Whether there is a grant, or may be one."""
    CLASS = enum.auto()
    ELIGIBILITY = enum.auto()
    """Start tags of two heads of which virtual time has reached one."""
    START = enum.auto()
    FINISH = enum.auto()
    VIRTUAL_TIME = enum.auto()
    PRICE = enum.auto()
    """F - S."""
    LEAD = enum.auto()
    """How far S is ahead of virtual time."""
    PRIORITY = enum.auto()
    TAG = enum.auto()
    """Numbers of tenants."""
    COMMITTED = enum.auto()
    """Level of the committed bucket."""
    PEAK = enum.auto()
    """Level of the peak bucket."""
    DEBT = enum.auto()
    """Bytes granted ahead of the paced rate, with the fraction of a bucket."""
    IN_FLIGHT = enum.auto()
    """Whole bytes granted and not yet served."""
    SPACING = enum.auto()
    """Clocks from one grant to the next."""
    LOAD = enum.auto()
    AGE = enum.auto()
    GRANTS = enum.auto()
    """Grants since the last promotion."""
    REQUESTS = enum.auto()
    """Requests in a queue."""
    SERVICEABLE = enum.auto()
    """Whether a head is serviceable, and its class."""
    COMMAND_TENANT = enum.auto()
    GRANTED_BEATS = enum.auto()
    """Beats of a command, and of its grant."""
    COMMAND_BEATS = enum.auto()
    """Beats of a command, and of the request that is due."""
    COMMAND_CLOCKS = enum.auto()
    """Clocks from a grant to its command."""
    COMMAND_OP = enum.auto()
    ADDRESS = enum.auto()
    """Addresses of a command and of the request that is due."""
    UNGRANTED = enum.auto()
    """Beats of a command without a grant."""
    UNASKED = enum.auto()
    """Address of a command without a request."""
    SLOT = enum.auto()
    """Number of a slot that is still in use."""
    SLOTS = enum.auto()
    """Requests granted and not served, and how many slots there are."""
    OWED = enum.auto()
    """Completions less responses."""
    REQUEST_ID = enum.auto()
    ANSWERED_TENANT = enum.auto()
    """Ids of a response and of the request of another tenant that it should be for."""
    OFFER = enum.auto()
    """Addresses of a command that stands at the port, now and in the clock before."""
    TAKEN = enum.auto()
    """Whether a command is taken, and whether one is offered."""

    @property
    def text(self) -> str:
        """The name for people."""
        return self.name.lower().replace("_", " ")

    @property
    def unit(self) -> str:
        """What a reader counts it in."""
        return _UNITS[self]


_TAGS = "B/weight"

_UNITS = {
    Quantity.GRANT: "grant",
    Quantity.CLASS: "class",
    Quantity.ELIGIBILITY: _TAGS,
    Quantity.START: _TAGS,
    Quantity.FINISH: _TAGS,
    Quantity.VIRTUAL_TIME: _TAGS,
    Quantity.PRICE: _TAGS,
    Quantity.LEAD: _TAGS,
    Quantity.PRIORITY: "priority",
    Quantity.TAG: "tag",
    Quantity.COMMITTED: "B",
    Quantity.PEAK: "B",
    Quantity.DEBT: "B",
    Quantity.IN_FLIGHT: "B",
    Quantity.LOAD: "load",
    Quantity.AGE: "clocks",
    Quantity.GRANTS: "grants",
    Quantity.REQUESTS: "requests",
    Quantity.SERVICEABLE: "class",
    Quantity.COMMAND_TENANT: "tenant",
    Quantity.GRANTED_BEATS: "beats",
    Quantity.COMMAND_BEATS: "beats",
    Quantity.COMMAND_CLOCKS: "clocks",
    Quantity.SPACING: "clocks",
    Quantity.COMMAND_OP: "direction",
    Quantity.ADDRESS: "address",
    Quantity.UNGRANTED: "B",
    Quantity.UNASKED: "address",
    Quantity.SLOT: "slot",
    Quantity.SLOTS: "slots",
    Quantity.OWED: "responses",
    Quantity.REQUEST_ID: "id",
    Quantity.ANSWERED_TENANT: "id",
    Quantity.OFFER: "command",
    Quantity.TAKEN: "command",
}
