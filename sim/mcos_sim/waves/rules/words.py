"""Words for what the arbiter does wrong: its choice, its tokens, its tags, its age guard."""

from fractions import Fraction

from mcos_sim.waves.rules.amounts import amount, amounts
from mcos_sim.waves.rules.quantity import Quantity
from mcos_sim.waves.rules.scene import Scene, Told, weighed
from mcos_sim.waves.rules.violation import Rule

__all__ = [
    "class_words",
    "closed",
    "grants_words",
    "idle",
    "level_words",
    "order_words",
    "over_age",
    "price_words",
    "spacing_words",
    "tag_words",
    "window_words",
]


_ENTERING = 4
"""Class that the choice rule gives a request that has just entered an empty queue."""


def order_words(scene: Scene) -> Told:
    """A grant before another head."""
    name, other, value, expected = scene.name, scene.other, scene.value, scene.expected
    time = scene.channel("virtual_time", 1)
    wraps = ""
    if scene.violation.rule is Rule.NO_WRAP:
        wraps = "; it would be so if tags did not wrap"

    def place(tag: int) -> str:
        ahead = scene.distance(tag, time)
        side = "ahead of" if ahead > 0 else "behind"
        return f"{scene.tag(tag)} ({weighed(abs(ahead))} {side} V)"

    match scene.violation.quantity:
        case Quantity.CLASS:
            mine = "new in an empty queue" if value == _ENTERING else scene.class_name(value)
            there, asked = f"class {mine}", f"class {scene.class_name(expected)}"
            why = f"a {scene.class_name(expected)} head goes first"
        case Quantity.PRIORITY:
            there, asked = f"priority {value}", f"priority {expected}"
            why = "0 is the highest, and the channel is overcommitted"
        case Quantity.TAG:
            there, asked = f"tag {value}", f"tag {expected}"
            why = f"both have F {scene.tag(scene.head('finish', 1))}, and the lowest tag goes first"
        case Quantity.ELIGIBILITY:
            there, asked = f"S {place(value)}", f"S {place(expected)}"
            if there == asked:
                there, asked = f"{there}, no candidate", f"{asked}, a candidate"
            why = "a head whose S virtual time has reached goes first"
        case Quantity.START:
            there, asked = f"S {place(value)}", f"S {place(expected)}"
            why = f"V has reached neither, and its S is {scene.apart(value, expected)} less"
        case _:
            there, asked = f"F {scene.tag(value)}", f"F {scene.tag(expected)}"
            why = f"that is {scene.apart(value, expected)} earlier"
    what = f"{name} is granted with {there}, and must come after {other} with {asked}: {why}{wraps}"
    return Told(value_text=there, expected_text=asked, what=what)


def closed(scene: Scene) -> Told:
    """A grant that nobody can take."""
    size = f"{scene.granted_bytes():,} B"
    return Told(
        value_text=f"a grant of {size}",
        expected_text="no grant",
        what=f"{scene.name} has a grant of {size}, and there must be no grant: pacer or memory "
        "port are closed in this clock",
    )


def spacing_words(scene: Scene) -> Told:
    """A grant too soon after another one."""
    there, asked = f"{scene.value:,} clocks", f"at least {scene.expected:,} clocks"
    return Told(
        value_text=there,
        expected_text=asked,
        what=f"{scene.name} has a grant {there} after the last one, and {asked} must lie between: "
        "the channel's grant interval",
    )


def idle(scene: Scene) -> Told:
    """A clock without a grant that should have one."""
    size = f"{scene.head('beats', 1) * scene.config.beat_bytes:,} B"
    return Told(
        value_text="no grant",
        expected_text="a grant",
        what=f"there is no grant, and there must be a grant: pacer and memory port are open, and "
        f"{scene.name}'s head of {size} was serviceable in the clock before",
    )


def class_words(scene: Scene) -> Told:
    """A head or a grant of another class than its buckets say."""
    there, asked = scene.class_name(scene.value), scene.class_name(scene.expected)
    size = scene.head("beats") * scene.config.beat_bytes
    if scene.violation.rule is Rule.WRONG_CLASS:
        ago = 1 if scene.config.steps else 0
        levels = [scene.level(scene.head(each, ago)) for each in ("committed", "peak")]
        committed, peak = amounts([*levels, Fraction(size)], apart=3)[:2]
        what = (
            f"{scene.name}'s head of {size:,} B is {there}, and must be {asked}: its committed "
            f"bucket holds {committed} B and its peak bucket {peak} B"
        )
    elif scene.violation.rule is Rule.GRANTED_CLASS:
        what = (
            f"{scene.name}'s grant of {scene.granted_bytes():,} B counts as {there}, and must "
            f"count as {asked}: its head was {asked} when it was chosen"
        )
    else:
        there, asked = f"not serviceable ({there})", "serviceable"
        what = (
            f"{scene.name} is granted {scene.granted_bytes():,} B, and its head must be {asked} in "
            f"the clock before: it was {there}"
        )
    return Told(value_text=there, expected_text=asked, what=what)


_CHARGES = {
    Rule.NOT_CHARGED: "; the bytes granted were not taken",
    Rule.CHARGED_TWICE: "; the bytes granted were taken twice",
    Rule.HALF_COMMIT: "; what is there follows the image before the commit",
}


def level_words(scene: Scene) -> Told:
    """A bucket that holds too much or too little."""
    of_committed = scene.violation.quantity is Quantity.COMMITTED
    bucket = "committed" if of_committed else "peak"
    settings = scene.settings_of_tenant(1)
    rate = settings.committed_rate if of_committed else settings.peak_rate
    depth = settings.committed_depth if of_committed else settings.peak_depth
    before = scene.level(scene.head(bucket, 1))
    granted = scene.granted_bytes(1, scene.tenant)
    if scene.channel("granted_class", 1) > (0 if of_committed else 1):
        granted = 0
    value, expected = scene.level(scene.value), scene.level(scene.expected)
    whole = before + scene.level(rate) - granted
    terms = [before, scene.level(rate), Fraction(-granted)]
    adds_up = whole == expected
    texts = amounts([value, expected, *terms], apart=2, adds_up=adds_up)
    there, asked = f"{texts[0]} B", f"{texts[1]} B"
    why = ""
    if adds_up:
        why = f": {texts[2]} B before, plus its rate of {texts[3]} B"
        why += f", less the {granted:,} B granted" if granted else ""
    elif expected == depth:
        why = f": its depth, which {texts[2]} B before and its rate of {texts[3]} B reach"
    why += _CHARGES.get(scene.violation.rule, "")
    return Told(
        value_text=there,
        expected_text=asked,
        what=f"{scene.name}'s {bucket} bucket holds {there}, and must hold {asked}{why}",
    )


def tag_words(scene: Scene) -> Told:
    """A tag that is not the one it must be."""
    there, asked = scene.tag(scene.value), scene.tag(scene.expected)
    moved = scene.distance(scene.value, scene.expected)
    side = "ahead of" if moved > 0 else "behind"
    by = f"{weighed(abs(moved))} {side} it"
    if scene.violation.rule is Rule.TIME_BACK:
        what = (
            f"virtual time is {there}, and must not be less than {asked} of the clock before: it "
            f"went back by {weighed(abs(moved))}"
        )
    elif scene.violation.quantity is Quantity.VIRTUAL_TIME:
        what = (
            f"virtual time is {there}, and must stay {asked}: nothing was granted, and it is {by}"
        )
    elif scene.violation.rule is Rule.TAG_START:
        what = (
            f"{scene.name}'s head has S {there}, and must have S {asked}, the F of the request "
            f"before it: it is {by}"
        )
    else:
        letter = "S" if scene.violation.quantity is Quantity.START else "F"
        what = (
            f"{scene.name}'s head has {letter} {there}, and must keep {asked} while it waits: "
            f"it is {by}"
        )
    return Told(value_text=there, expected_text=asked, what=what)


def price_words(scene: Scene) -> Told:
    """A head that pays another price than its size over its weight."""
    values = [scene.tags(scene.value), scene.tags(scene.expected)]
    there, asked = (f"{each} B/weight" for each in amounts(values, apart=2))
    size = scene.head("beats") * scene.config.beat_bytes
    inverse = scene.settings_of_tenant().inverse_weight
    weight = ""
    if inverse:
        exact = Fraction(1 << scene.config.reciprocal_fraction, inverse)
        weight = f" over its weight of {amount(round(exact, 3))}"
    return Told(
        value_text=there,
        expected_text=asked,
        what=f"{scene.name}'s head has F - S = {there} ({scene.tag(scene.value)}), and must have "
        f"{asked} ({scene.tag(scene.expected)}): its {size:,} B{weight}",
    )


def window_words(scene: Scene) -> Told:
    """A start tag so far ahead that order means nothing."""
    values = [scene.tags(scene.value), scene.tags(scene.expected)]
    ahead, limit = (f"{each} B/weight" for each in amounts(values, apart=2))
    asked = f"less than {limit}"
    return Told(
        value_text=ahead,
        expected_text=asked,
        what=f"{scene.name}'s head has S {scene.tag(scene.head('start'))}, {ahead} ahead of "
        f"virtual time, and must be {asked} ahead: a quarter of the scale",
    )


def over_age(scene: Scene) -> Told:
    """A head that waits too long, or that is promoted too soon."""
    there = f"{scene.value:,} clocks"
    if scene.violation.rule is Rule.AGE_GUARD:
        asked = f"a promotion after {scene.expected:,} clocks"
        what = (
            f"{scene.name}'s head has been serviceable for {there}, and there must be {asked}: its "
            "age limit; nobody was promoted"
        )
    elif scene.expected < 0:
        asked = "no promotion"
        what = (
            f"{scene.name}'s head is promoted after {there}, and there must be {asked}: nobody has "
            "an age limit"
        )
    else:
        asked = f"at least {scene.expected:,} clocks"
        what = (
            f"{scene.name}'s head is promoted after {there}, and must be serviceable for {asked} "
            "before that: the least age limit, in rounds of all tenants"
        )
    return Told(value_text=there, expected_text=asked, what=what)


def grants_words(scene: Scene) -> Told:
    """A promotion too soon after another one."""
    there, asked = f"{scene.value:,} grants", f"at least {scene.expected:,} grants"
    return Told(
        value_text=there,
        expected_text=asked,
        what=f"{scene.name}'s head is promoted {there} after the last promotion, and {asked} must "
        "lie between: the image's promotion interval",
    )
