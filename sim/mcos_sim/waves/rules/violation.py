"""What can be wrong, and how the rules tell of it."""

import dataclasses
import enum

from mcos_sim.compiling import compiled
from mcos_sim.waves.rules.quantity import Quantity

__all__ = [
    "CLAIMS",
    "FIELDS",
    "Rule",
    "Violation",
    "tell",
]


class Rule(enum.IntEnum):
    """A rule, by what breaks it; :data:`CLAIMS` says what that is. Causes come before effects."""

    WRONG_ORDER = enum.auto()
    NO_WRAP = enum.auto()
    CLOSED = enum.auto()
    PACE = enum.auto()
    SPACING = enum.auto()
    NO_CREDIT = enum.auto()
    NOT_SERVICEABLE = enum.auto()
    IDLE = enum.auto()
    WRONG_CLASS = enum.auto()
    GRANTED_CLASS = enum.auto()
    NOT_CHARGED = enum.auto()
    CHARGED_TWICE = enum.auto()
    TOKENS = enum.auto()
    HALF_COMMIT = enum.auto()
    TAG_MOVED = enum.auto()
    TAG_START = enum.auto()
    TAG_PRICE = enum.auto()
    TAG_WINDOW = enum.auto()
    TIME_BACK = enum.auto()
    AGE_GUARD = enum.auto()
    NOT_OVER_AGE = enum.auto()
    PROMOTION = enum.auto()
    STUCK = enum.auto()
    OVERFLOW = enum.auto()
    LOST_REQUEST = enum.auto()
    DOUBLE_GRANT = enum.auto()
    WRONG_COMMAND = enum.auto()
    SLOT = enum.auto()
    LOST_RESPONSE = enum.auto()
    DOUBLE_RESPONSE = enum.auto()
    WRONG_RESPONSE = enum.auto()
    IN_FLIGHT = enum.auto()
    CREDIT = enum.auto()
    DEBT = enum.auto()
    LOAD = enum.auto()
    HANDSHAKE = enum.auto()

    @property
    def text(self) -> str:
        """The name for people."""
        return self.name.lower().replace("_", " ")


CLAIMS = {
    Rule.WRONG_ORDER: "another head goes before it by class, eligibility, priority or tag",
    Rule.NO_WRAP: "another head goes before it unless tags are compared as if they did not wrap",
    Rule.CLOSED: "a grant while pacer or port take none",
    Rule.PACE: "a grant while the bytes granted ahead are a clock's worth or more",
    Rule.SPACING: "a grant of a compact channel sooner after another one than its interval",
    Rule.NO_CREDIT: "a grant without port credit for a longest request",
    Rule.NOT_SERVICEABLE: "a grant to a head that was not serviceable when it was chosen",
    Rule.IDLE: "no grant although the channel is open and a head was serviceable",
    Rule.WRONG_CLASS: "a head's class is not that of its buckets",
    Rule.GRANTED_CLASS: "a grant is charged as another class than its head had",
    Rule.NOT_CHARGED: "a grant leaves a bucket as full as before",
    Rule.CHARGED_TWICE: "a grant takes its bytes twice",
    Rule.TOKENS: "a bucket's level is not the one before, plus its rate, less what was granted",
    Rule.HALF_COMMIT: "after a commit a bucket goes on by the image before",
    Rule.TAG_MOVED: "a head's tag changes while it waits, or virtual time without a grant",
    Rule.TAG_START: "S of a head that follows another one is not F of that one",
    Rule.TAG_PRICE: "F - S of a head is not its size over its weight",
    Rule.TAG_WINDOW: "S is a quarter of the scale ahead of virtual time; order means nothing there",
    Rule.TIME_BACK: "virtual time goes back",
    Rule.AGE_GUARD: "a head is over its age limit and nobody is promoted",
    Rule.NOT_OVER_AGE: "a head is promoted that is not over its age limit",
    Rule.PROMOTION: "a head is promoted fewer grants after another one than the interval",
    Rule.STUCK: "requests are queued and no head is shown",
    Rule.OVERFLOW: "a queue holds more requests than it has room for",
    Rule.LOST_REQUEST: "a queue has fewer requests than came and were not granted",
    Rule.DOUBLE_GRANT: "a request is granted and stays, or is granted again",
    Rule.WRONG_COMMAND: "a command is not the request that was granted",
    Rule.SLOT: "a command has a slot that is still in use, or more is granted than there are slots",
    Rule.LOST_RESPONSE: "memory completed more than was answered",
    Rule.DOUBLE_RESPONSE: "a request is answered again, or more is answered than memory completed",
    Rule.WRONG_RESPONSE: "a response is not for the request whose slot memory completed",
    Rule.IN_FLIGHT: "bytes in flight are not those before, plus granted ones, less served ones",
    Rule.CREDIT: "more bytes are in flight than the port's credit",
    Rule.DEBT: "bytes granted ahead are not those before, plus granted ones, less the rate",
    Rule.LOAD: "the load is not how many quarters of the port credit were in flight",
    Rule.HANDSHAKE: "a command at the port changes or goes before it is taken, or is taken unasked",
}
"""What is wrong where a rule is broken."""

FIELDS = 7
"""Numbers of a violation: rule, row, tenant, other tenant, value, what was expected, quantity."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Violation:
    """A rule that is broken in one clock; :class:`mcos_sim.waves.rules.Wording` tells people.

    Parameters
    ----------
    rule : Rule
        Which.
    clock : int
        In which clock the wrong value stands.
    tenant, other : int
        Tenants by tag; -1 for none.
    value, expected : int
        What proves it, in the waveform's units.
    quantity : Quantity
        What these two are.
    """

    rule: Rule
    clock: int
    tenant: int
    other: int
    value: int
    expected: int
    quantity: Quantity


@compiled
def tell(found, rule, row, tenant, other, value, expected, quantity):
    """Add a violation to the table; its first row counts all of them, also those left out."""
    found[0, 0] += 1
    place = found[0, 0]
    if place < len(found):
        found[place, 0] = rule
        found[place, 1] = row
        found[place, 2] = tenant
        found[place, 3] = other
        found[place, 4] = value
        found[place, 5] = expected
        found[place, 6] = quantity
