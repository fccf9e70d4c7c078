"""Words for what goes wrong around the arbiter: queues, commands, responses, bytes in flight."""

from fractions import Fraction

from mcos_hw.link.request import Op, command_layout
from mcos_sim.waves.rules.amounts import amounts
from mcos_sim.waves.rules.quantity import Quantity
from mcos_sim.waves.rules.scene import Scene, Told
from mcos_sim.waves.rules.violation import Rule

__all__ = [
    "command_words",
    "credit_words",
    "debt_words",
    "handshake_words",
    "in_flight_words",
    "load_words",
    "queue_words",
    "response_words",
    "slot_words",
    "stuck_words",
]


def queue_words(scene: Scene) -> Told:
    """A queue that holds more or fewer requests than came and went."""
    there, asked = f"{scene.value:,} requests", f"{scene.expected:,} requests"
    if scene.violation.rule is Rule.OVERFLOW:
        asked = f"at most {asked}"
        why = "it has room for no more"
    else:
        came = scene.event("request.valid", 1) and scene.event("request.tenant", 1) == scene.tenant
        left = scene.granted_bytes(1, scene.tenant) > 0
        terms = [f"{scene.head('queued', 1):,} before"]
        terms += ["one that came"] * bool(came)
        why = ", plus ".join(terms) + (", less the one granted" if left else "")
    return Told(
        value_text=there,
        expected_text=asked,
        what=f"{scene.name}'s queue holds {there}, and must hold {asked}: {why}",
    )


def stuck_words(scene: Scene) -> Told:
    """Requests without a head, or a head that is serviceable and should not be."""
    if scene.violation.quantity is Quantity.REQUESTS:
        there, asked = f"{scene.value:,} requests queued and no head", "a head"
        what = f"{scene.name} has {there}, and must show {asked} within 8 clocks"
    else:
        there, asked = ("not serviceable", "serviceable")[:: -1 if scene.value else 1]
        name = scene.class_name(scene.expected)
        what = f"{scene.name}'s head is {there}, and must be {asked}: its class is {name}"
    return Told(value_text=there, expected_text=asked, what=what)


_GUESSES = {
    Rule.DOUBLE_GRANT: "; it is the request before, granted again",
    Rule.LOST_REQUEST: "; it is a later request, and those before it are lost",
}


def command_words(scene: Scene) -> Told:
    """A command that is not the request granted."""
    value, expected, name = scene.value, scene.expected, scene.name
    due = "the request that is due"
    match scene.violation.quantity:
        case Quantity.UNGRANTED:
            there = f"a command of {value * scene.config.beat_bytes:,} B"
            return _unasked(name, there, "all grants have their commands")
        case Quantity.UNASKED:
            there = f"a command at address {value:#x}"
            return _unasked(name, there, "all of its requests have their commands")
        case Quantity.COMMAND_TENANT:
            there, asked = f"tenant {name} (tag {value})", f"tenant {scene.other} (tag {expected})"
            why = "who was granted"
        case Quantity.COMMAND_CLOCKS:
            there, asked = f"{value:,} clocks after its grant", "at least 1 clock after its grant"
            return _command(there, asked, f"{name}'s command comes {there}, and must come {asked}")
        case Quantity.GRANTED_BEATS:
            there, asked = (f"{each} beats" for each in (value, expected))
            why = "what was granted"
        case Quantity.COMMAND_BEATS:
            there, asked = (f"{each} beats" for each in (value, expected))
            why = due
        case Quantity.COMMAND_OP:
            there, asked = (f"direction {Op(each).name.lower()}" for each in (value, expected))
            why = due
        case _:
            there, asked = (f"address {each:#x}" for each in (value, expected))
            why = due
    why += _GUESSES.get(scene.violation.rule, "")
    return _command(there, asked, f"{name}'s command has {there}, and must have {asked}: {why}")


def _unasked(name: str, there: str, why: str) -> Told:
    return _command(there, "no command", f"{name} has {there}, and there must be no command: {why}")


def _command(there: str, asked: str, what: str) -> Told:
    return Told(value_text=there, expected_text=asked, what=what)


def slot_words(scene: Scene) -> Told:
    """A slot that is still in use, or more requests out than there are slots."""
    if scene.violation.quantity is Quantity.SLOT:
        there, asked = f"slot {scene.value}", "a free slot"
        what = (
            f"{scene.name}'s command has {there}, and must have {asked}: a command of "
            f"{scene.other} is in it and is not completed"
        )
    else:
        there, asked = f"{scene.value:,} slots in use", f"at most {scene.expected:,} slots"
        to = scene.name_of(scene.channel("tenant"))
        what = f"the grant to {to} makes {there}, and there must be {asked}"
    return Told(value_text=there, expected_text=asked, what=what)


def response_words(scene: Scene) -> Told:
    """A response too few, too many, or for somebody else."""
    value, expected = scene.value, scene.expected
    match scene.violation.quantity:
        case Quantity.REQUEST_ID if scene.violation.rule is Rule.DOUBLE_RESPONSE:
            there, asked = f"id {value} answered again", "one response to an id"
            what = f"{scene.name} has {there}, and there must be {asked}: no request has it"
        case Quantity.REQUEST_ID:
            there, asked = f"id {value}", f"id {expected}"
            what = (
                f"{scene.name}'s response has {there}, and must have {asked}: the request whose "
                "slot memory completed in the clock before"
            )
        case Quantity.ANSWERED_TENANT:
            there = f"{scene.name}'s id {value}"
            asked = (
                f"{scene.other}'s id {expected}" if expected >= 0 else f"a request of {scene.other}"
            )
            what = (
                f"the response is for {there}, and must be for {asked}: its slot is the one that "
                "memory completed in the clock before"
            )
        case _ if value > 0:
            there, asked = f"{value:,} completions without a response", "a response for each"
            what = f"the channel has {there} for more than 4 clocks, and there must be {asked}"
        case _:
            there, asked = f"{-value:,} responses without a completion", "a completion for each"
            what = f"the channel has given {there}, and there must be {asked}"
    return Told(value_text=there, expected_text=asked, what=what)


def in_flight_words(scene: Scene) -> Told:
    """Bytes in flight that do not follow from those before."""
    there, asked = f"{scene.value:,} B", f"{scene.expected:,} B"
    before, granted = scene.channel("in_flight", 1), scene.granted_bytes(1)
    served = before + granted - scene.expected
    why = f"{before:,} B before"
    if granted:
        why += f", plus {granted:,} B granted to {scene.name_of(scene.channel('tenant', 1))}"
    if served:
        why += f", less {served:,} B served"
    return Told(
        value_text=there,
        expected_text=asked,
        what=f"the channel has {there} in flight, and must have {asked}: {why}",
    )


def credit_words(scene: Scene) -> Told:
    """More in flight than the port's credit, or a grant without room for a longest request."""
    there, asked = f"{scene.value:,} B", f"at most {scene.expected:,} B"
    if scene.violation.rule is Rule.CREDIT:
        what = f"the channel has {there} in flight, and must have {asked}: the port's credit"
    else:
        longest = scene.config.l_max
        what = (
            f"{scene.name} is granted with {there} in flight, and there must be {asked}: the "
            f"port's credit of {scene.expected + longest:,} B, less the {longest:,} B of a longest "
            "request"
        )
    return Told(value_text=there, expected_text=asked, what=what)


def debt_words(scene: Scene) -> Told:
    """Bytes granted ahead of the paced rate."""
    value, expected = scene.level(scene.value), scene.level(scene.expected)
    if scene.violation.rule is Rule.PACE:
        there, limit = (f"{each} B" for each in amounts([value, expected], apart=2))
        asked = f"less than {limit}"
        what = (
            f"{scene.name} is granted with {there} granted ahead of the rate, and there must be "
            f"{asked}: what the pacer passes in a clock"
        )
        return Told(value_text=there, expected_text=asked, what=what)
    before, rate = (
        scene.level(scene.channel("debt", 1)),
        scene.level(scene.settings(1).channel.pacer_rate),
    )
    granted = scene.granted_bytes(1)
    adds_up = before - rate + granted == expected
    terms = [before, -rate, Fraction(granted)]
    texts = amounts([value, expected, *terms], apart=2, adds_up=adds_up)
    there, asked = f"{texts[0]} B", f"{texts[1]} B"
    why = f": {texts[2]} B before, less the rate of {texts[3].removeprefix('-')} B"
    if granted:
        why += f", plus {granted:,} B granted to {scene.name_of(scene.channel('tenant', 1))}"
    if not scene.settings(1).channel.pacer_enable:
        why = ": the pacer is off"
    elif not adds_up:
        why += ", and not below 0"
    return Told(
        value_text=there,
        expected_text=asked,
        what=f"the channel has {there} granted ahead of the rate, and must have {asked}{why}",
    )


def load_words(scene: Scene) -> Told:
    """A load that is not how full the port's credit is."""
    there, asked = f"load {scene.value}", f"load {scene.expected}"
    credit = scene.settings(1).channel.port_credit
    return Told(
        value_text=there,
        expected_text=asked,
        what=f"the channel says {there}, and must say {asked}: {scene.channel('in_flight', 1):,} "
        f"B of the port's credit of {credit:,} B were in flight, one for each quarter",
    )


def handshake_words(scene: Scene) -> Told:
    """A command that changes before it is taken, or is taken unasked."""
    if scene.violation.quantity is Quantity.TAKEN:
        there = f"{scene.name_of(scene.event('command.tenant'))}'s command"
        asked = f"that which {scene.name} offers" if scene.expected else "no command"
        why = "" if scene.expected else ": none is offered"
        what = f"memory takes {there}, and must take {asked}{why}"
        return Told(value_text=there, expected_text=asked, what=what)
    if not scene.event("offer.valid"):
        there, asked = "no command", f"the command at address {scene.expected:#x}"
    else:
        members = [str(name) for name, _ in command_layout(scene.config)]
        changed = next(
            each
            for each in members
            if scene.event(f"offer.{each}") != scene.event(f"offer.{each}", 1)
        )
        values = [scene.event(f"offer.{changed}", ago) for ago in (0, 1)]
        there, asked = (
            f"{changed} {each:#x}" if changed == "address" else f"{changed} {each}"
            for each in values
        )
    return Told(
        value_text=there,
        expected_text=asked,
        what=f"{scene.name}'s command at the memory port waits: there is {there}, and must be "
        f"{asked} as in the clock before",
    )
