"""A violation for people: who, what is there, what the rule asks, in names and units."""

from collections.abc import Callable

from mcos_sim.waves.reading import Waveform
from mcos_sim.waves.rules import port_words, words
from mcos_sim.waves.rules.quantity import Quantity
from mcos_sim.waves.rules.scene import Scene, Told
from mcos_sim.waves.rules.violation import Rule, Violation

__all__ = ["Wording"]


_WORDS: dict[Rule, Callable[[Scene], Told]] = {
    Rule.WRONG_ORDER: words.order_words,
    Rule.NO_WRAP: words.order_words,
    Rule.CLOSED: words.closed,
    Rule.PACE: port_words.debt_words,
    Rule.SPACING: words.spacing_words,
    Rule.NO_CREDIT: port_words.credit_words,
    Rule.NOT_SERVICEABLE: words.class_words,
    Rule.IDLE: words.idle,
    Rule.WRONG_CLASS: words.class_words,
    Rule.GRANTED_CLASS: words.class_words,
    Rule.NOT_CHARGED: words.level_words,
    Rule.CHARGED_TWICE: words.level_words,
    Rule.TOKENS: words.level_words,
    Rule.HALF_COMMIT: words.level_words,
    Rule.TAG_MOVED: words.tag_words,
    Rule.TAG_START: words.tag_words,
    Rule.TAG_PRICE: words.price_words,
    Rule.TAG_WINDOW: words.window_words,
    Rule.TIME_BACK: words.tag_words,
    Rule.AGE_GUARD: words.over_age,
    Rule.NOT_OVER_AGE: words.over_age,
    Rule.PROMOTION: words.grants_words,
    Rule.STUCK: port_words.stuck_words,
    Rule.OVERFLOW: port_words.queue_words,
    Rule.LOST_REQUEST: port_words.queue_words,
    Rule.DOUBLE_GRANT: port_words.queue_words,
    Rule.WRONG_COMMAND: port_words.command_words,
    Rule.SLOT: port_words.slot_words,
    Rule.LOST_RESPONSE: port_words.response_words,
    Rule.DOUBLE_RESPONSE: port_words.response_words,
    Rule.WRONG_RESPONSE: port_words.response_words,
    Rule.IN_FLIGHT: port_words.in_flight_words,
    Rule.CREDIT: port_words.credit_words,
    Rule.DEBT: port_words.debt_words,
    Rule.LOAD: port_words.load_words,
    Rule.HANDSHAKE: port_words.handshake_words,
}
"""How each rule is worded; what a command shows of a queue is worded as a command."""


class Wording:
    """Words for the violations of one waveform.

    Parameters
    ----------
    waveform : Waveform
        Where they were found: it has names, sizes, images, and the numbers that explain them.
    """

    def __init__(self, waveform: Waveform) -> None:
        self._waveform = waveform

    def tell(self, violation: Violation) -> Told:
        """Who, what is there, and what the rule asks."""
        scene = Scene(self._waveform, violation)
        of_queue = _WORDS[violation.rule] is port_words.queue_words
        if of_queue and violation.quantity is not Quantity.REQUESTS:
            return port_words.command_words(scene)
        return _WORDS[violation.rule](scene)

    def sentence(self, violation: Violation) -> str:
        """One line: the clock, the rule, who, what is there and what must be."""
        nanoseconds = violation.clock * 1_000_000 / self._waveform.config.clock_khz
        what = self.tell(violation).what
        return f"clock {violation.clock} ({nanoseconds:.2f} ns): {violation.rule.text}: {what}"
