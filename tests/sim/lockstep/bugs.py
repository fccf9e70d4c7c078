"""Mistakes in the hardware that lockstep has to find, each of another kind."""

from tests.planted import Bug

CHANNEL = "mcos_hw.channel"

HARDWARE_BUGS = {
    "ties go to the higher tenant": Bug(
        module=f"{CHANNEL}.order",
        text="before(following.finish, heads[j].finish, below[j])",
        instead="before(following.finish, heads[j].finish, ~below[j])",
    ),
    "burst goes before conforming": Bug(
        module=f"{CHANNEL}.choice",
        text="~(class_code[0] ^ reached)",
        instead="class_code[0] ^ reached",
    ),
    "a bucket is never charged": Bug(
        module=f"{CHANNEL}.bucket",
        text="charge.eq(Mux(charged, self.beats, 0))",
        instead="charge.eq(0)",
    ),
    "a bucket holds a beat too much": Bug(
        module=f"{CHANNEL}.bucket",
        text="limit.eq(depth << fraction)",
        instead="limit.eq((depth + 32) << fraction)",
    ),
    "a head is over age a round late": Bug(
        module=f"{CHANNEL}.age",
        text="(visited_age >= limit)",
        instead="(visited_age > limit)",
    ),
    "virtual time is slow for long requests": Bug(
        module=f"{CHANNEL}.virtual_time",
        text="Mux(beats[4], inverse << 2, multiples[beats[2:4]])",
        instead="Mux(beats[4], inverse << 1, multiples[beats[2:4]])",
    ),
    "the second request's tag is the first one's": Bug(
        module=f"{CHANNEL}.tags",
        text="_pick_halves(self.chosen_copies[1], self.chosen_copies[2], end)",
        instead="_pick_halves(self.chosen_copies[1], self.chosen_copies[2], finish)",
    ),
    "port credit leaks": Bug(
        module=f"{CHANNEL}.credit",
        text="self.in_flight + granted - returned",
        instead="self.in_flight + granted - (returned & ~32)",
    ),
    "an image with a wrong checksum is taken": Bug(
        module="mcos_hw.control.loader",
        text="with m.If(self.word != checksum.crc):",
        instead="with m.If(Const(0, 1)):",
    ),
    "a queue is full a request early": Bug(
        module=f"{CHANNEL}.queue",
        text="self.full[i].eq(count_then == depth)",
        instead="self.full[i].eq(count_then >= depth - 1)",
    ),
    "a refused request is judged by the one before it": Bug(
        module=f"{CHANNEL}.classes",
        text='self.refuses[i] & request["outside"]',
        instead="self.refuses[i] & head.outside",
    ),
    "a colour has three bits": Bug(
        module=f"{CHANNEL}.intake",
        text="for bit in bits)",
        instead="for bit in bits[:3])",
    ),
    "an objective that is met counts as missed": Bug(
        module=f"{CHANNEL}.monitor",
        text="(latency > objective)",
        instead="(latency >= objective)",
    ),
}
"""By what goes wrong."""

MODEL_BUGS = {
    "ties go to the higher tenant": (
        "choice.py",
        "finish << _TENANT | i",
        "finish << _TENANT | 15 - i",
    ),
    "promoted heads wait": ("choice.py", "return 0, code", "return 6, code"),
    "the second request has the first one's class": (
        "choice.py",
        "beats + (charged if granted == _CONFORMING else 0)",
        "beats",
    ),
    "virtual time never jumps": ("tags.py", "return step[1] and less(", "return 0 and less("),
    "the anchor is at the lag": ("tags.py", "time - (s[at.TAG_LAG] >> 1)", "time - s[at.TAG_LAG]"),
    "a stale tag is fresh for the second request": (
        "tags.py",
        "s[at.STALE + granted] = old >> 1 & 3",
        "s[at.STALE + granted] = 0",
    ),
    "burst grants charge nothing": (
        "buckets.py",
        "if grant_class <= _BURST:",
        "if grant_class < _BURST:",
    ),
    "credit is kept for one beat": (
        "channel.py",
        "s[at.PORT_CREDIT] - s[at.L_MAX]",
        "s[at.PORT_CREDIT] - s[at.BEAT_BYTES]",
    ),
    "an age is counted before its limit": ("age.py", "visited_age >= s", "visited_age > s"),
    "a colour has three bits": ("ports.py", "range(_COLOUR_BITS)", "range(_COLOUR_BITS - 1)"),
    "a latency counts in the bin above": ("monitor.py", "while clocks > 1:", "while clocks > 0:"),
}
"""By what goes wrong: file of the model, text, and what stands there instead."""
