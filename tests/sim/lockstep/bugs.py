"""Mistakes that lockstep has to find, each of another kind.

Those in the hardware are expressions, so that one build can have all of them.
"""

from tests.planted import Bug

CHANNEL = "mcos_hw.channel"

HARDWARE_BUGS = {
    "ties go to the higher tenant": Bug(
        module=f"{CHANNEL}.arbiter.wf2q.order",
        text="before(following.finish, heads[j].finish, below[j])",
        instead="before(following.finish, heads[j].finish, ~below[j])",
    ),
    "burst goes before conforming": Bug(
        module=f"{CHANNEL}.arbiter.wf2q.choice",
        text="~(class_code[0] ^ reached)",
        instead="class_code[0] ^ reached",
    ),
    "a bucket is never charged": Bug(
        module=f"{CHANNEL}.bucket",
        text="Mux(charged, self.beats, 0)",
        instead="0",
    ),
    "a bucket holds a beat too much": Bug(
        module=f"{CHANNEL}.bucket",
        text="(depth << fraction)",
        instead="((depth + 32) << fraction)",
    ),
    "a head is over age a round late": Bug(
        module=f"{CHANNEL}.age",
        text="(visited_age >= limit)",
        instead="(visited_age > limit)",
    ),
    "virtual time is slow for long requests": Bug(
        module=f"{CHANNEL}.arbiter.wf2q.virtual_time",
        text="Mux(size[4], inverse << 2, fours)",
        instead="Mux(size[4], inverse << 1, fours)",
    ),
    "the second request's tag is the first one's": Bug(
        module=f"{CHANNEL}.arbiter.wf2q.tags",
        text="_pick_halves(turn.low_finishes, turn.highs, end)",
        instead="_pick_halves(turn.low_finishes, turn.highs, finish)",
    ),
    "port credit leaks": Bug(
        module=f"{CHANNEL}.credit",
        text="self.in_flight + granted - returned",
        instead="self.in_flight + granted - (returned & ~32)",
    ),
    "an image with a wrong checksum is taken": Bug(
        module="mcos_hw.control.loader",
        text="self.word != checksum.crc",
        instead="Const(0, 1)",
    ),
    "a queue is full a request early": Bug(
        module=f"{CHANNEL}.queue",
        text="(count_then == depth)",
        instead="(count_then >= depth - 1)",
    ),
    "a refused request is judged by the one before it": Bug(
        module=f"{CHANNEL}.classes",
        text='contract.refuse_outside & request["outside"]',
        instead="contract.refuse_outside & head.outside",
    ),
    "a colour has three bits": Bug(
        module=f"{CHANNEL}.intake",
        text="Cat(request.address.bit_select(bit, 1) for bit in bits)",
        instead="Cat(request.address.bit_select(bit, 1) for bit in bits[:3])",
    ),
    "an objective that is met counts as missed": Bug(
        module=f"{CHANNEL}.observer",
        text="(latency > objective)",
        instead="(latency >= objective)",
    ),
    "lateness is judged by 18 bits": Bug(
        module=f"{CHANNEL}.observer",
        text="(latency > objective)",
        instead="(latency[:18] > objective[:18])",
    ),
    "a legal tenant with colour 15 alone is refused": Bug(
        module="mcos_hw.control.checker",
        text="value < field.least",
        instead='(value[:15] if field.name == "colours" else value) < field.least',
    ),
    "a bit of the checksum is not compared": Bug(
        module="mcos_hw.control.loader",
        text="self.word != checksum.crc",
        instead="((self.word ^ checksum.crc) & ~(1 << 21)).any()",
    ),
    "the last tenant's relations are not checked": Bug(
        module="mcos_hw.control.checker",
        text="(outside | unrelated)",
        instead="((outside | unrelated) & (self.place.element != max(1, self.count - 1)))",
    ),
    "bit 31 beside a field is let pass": Bug(
        module="mcos_hw.control.checker",
        text="(self.word & ~register.mask & 0xFFFF_FFFF)",
        instead="(self.word & ~register.mask & 0x7FFF_FFFF)",
    ),
    "an entering request's priority has two bits": Bug(
        module=f"{CHANNEL}.arbiter.wf2q.choice",
        text="Mux(self.overcommitted, self.priorities[i], 0)",
        instead="Mux(self.overcommitted, self.priorities[i][:2], 0)",
    ),
    "an entering request wins its ties": Bug(
        module=f"{CHANNEL}.arbiter.wf2q.order",
        text="sum_before(start, cost, following.finish, Const(0, 1))",
        instead="sum_before(start, cost, following.finish, Const(1, 1))",
    ),
    "credit comes a clock early": Bug(
        module=f"{CHANNEL}.credit",
        text="(before - self.in_flight - granted)[-1]",
        instead="(before - self.in_flight - granted + returned)[-1]",
    ),
    "a slot comes a clock early when all are used": Bug(
        module=f"{CHANNEL}.slots",
        text="(free > self.grant.valid)",
        instead="((free > self.grant.valid) | ((free == 0) & self.served.valid))",
    ),
    "the outlet takes a command too many": Bug(
        module=f"{CHANNEL}.outlet",
        text="count + comes + self.grant.valid < depth",
        instead="count + comes + self.grant.valid <= depth",
    ),
    "the pacer opens a unit late": Bug(
        module=f"{CHANNEL}.pacer",
        text="(self.debt - (rate << 1) + granted)",
        instead="(self.debt - (rate << 1) + granted + 1)",
    ),
    "a price loses a bit of its fraction": Bug(
        module=f"{CHANNEL}.intake",
        text="(value >> terms_fraction(config))",
        instead="(value >> (terms_fraction(config) + 1))",
    ),
}
"""By what goes wrong; a case of a few hundred clocks shows it."""

RARE_HARDWARE_BUGS = {
    "a charge is lost in the clock in which another tenant is enabled": Bug(
        module=f"{CHANNEL}.bucket",
        text="(conforming[i])",
        instead="(conforming[i] & ~(enabled & ~was_enabled).any())",
    ),
    "epochs are compared by 16 bits of their clocks": Bug(
        module="mcos_hw.control.epoch",
        text="elapsed + 2 >= self.length",
        instead="elapsed[:16] + 2 >= self.length",
    ),
    "a disabled tenant drains 16 times as late": Bug(
        module=f"{CHANNEL}.age",
        text="Mux(each.enable, each.age_limit, DRAIN_AGE)",
        instead="Mux(each.enable, each.age_limit, 16 * DRAIN_AGE)",
    ),
    "a row's epoch is compared by 8 bits": Bug(
        module=f"{CHANNEL}.counters",
        text="(read.data.epoch == latched_epoch)",
        instead="(read.data.epoch[:8] == latched_epoch[:8])",
    ),
    "a sum on its way is forwarded across epochs": Bug(
        module=f"{CHANNEL}.counters",
        text="(events[older].epoch == events[0].epoch)",
        instead="Const(1, 1)",
    ),
    "settings of the upper tenants read as those of the lower": Bug(
        module="mcos_hw.control.bank",
        text="address[: exact_log2(len(tenants))]",
        instead="Cat(address[: exact_log2(len(tenants)) - 1], Const(0, 1))",
    ),
}
"""Likewise; they show late in a case or in the registers at its end."""

COMPACT = f"{CHANNEL}.arbiter.wf2q.compact"

COMPACT_HARDWARE_BUGS = {
    "a head that virtual time has just reached waits": Bug(
        module=f"{COMPACT}.keys",
        text="self.stale[i] | ~behind[-1]",
        instead="self.stale[i] | (~behind[-1] & behind.any())",
    ),
    "ties go to the higher tenant": Bug(
        module=f"{COMPACT}.order",
        text="_before(finish, other.finish, lower)",
        instead="_before(finish, other.finish, ~lower)",
    ),
    "heads of one start tag are taken as they come": Bug(
        module=f"{COMPACT}.contest",
        text="Mux(pair.start_equal, by_finish, pair.start_first)",
        instead="pair.start_first",
    ),
    "of stale heads the highest tenant goes first": Bug(
        module=f"{COMPACT}.contest",
        text="stale | by_finish",
        instead="~stale & by_finish",
    ),
    "a withdrawn promotion is granted": Bug(
        module=f"{COMPACT}.arbiter",
        text="~best.promoted | (best.tenants & self.promote).any()",
        instead="Const(1, 1)",
    ),
    "a request behind a stale one goes on from its tags": Bug(
        module=f"{COMPACT}.tags",
        text="~self.granted_stale & (first.follows | ~passed)",
        instead="(first.follows | ~passed)",
    ),
    "the depth-1 rule is forgotten": Bug(
        module=f"{COMPACT}.tags",
        text="Mux(first.recent, first.price, 0)",
        instead="Const(0, 1)",
    ),
    "a head that enters begins in the clock after a grant": Bug(
        module=f"{COMPACT}.tags",
        text="self.nominates | granted_before",
        instead="self.nominates",
    ),
    "a promotion makes virtual time jump all the way": Bug(
        module=f"{COMPACT}.virtual_time",
        text="Mux(promoted, lead, 0)",
        instead="Const(0)",
    ),
    "beats of a visit forget a grant that came meanwhile": Bug(
        module=f"{CHANNEL}.seen_tokens",
        text="granted | outdated | (waits & self.fills)",
        instead="granted | (waits & self.fills)",
    ),
    "a visit reads what a grant has not written yet": Bug(
        module=f"{CHANNEL}.token_table",
        text="visits & ~uncharged",
        instead="visits",
    ),
    "a refill is a clock short": Bug(
        module=f"{CHANNEL}.token_table",
        text="(now - read.data.clock)",
        instead="(now - read.data.clock - 1)",
    ),
    "a grant is made a clock early": Bug(
        module=f"{CHANNEL}.spacing",
        text="self.config.grant_interval - 2",
        instead="Const(self.config.grant_interval - 3)",
    ),
    "a new head has its class a clock early": Bug(
        module=f"{CHANNEL}.classes",
        text="head.present & ~self.grant.tenants[i]",
        instead="head.present",
    ),
    "readers see the page that an image fills": Bug(
        module="mcos_hw.control.pages",
        text="(Cat(read.tenant, page))",
        instead="(Cat(read.tenant, ~page))",
    ),
    "software reads the page that an image fills": Bug(
        module="mcos_hw.control.pages",
        text="(Cat(window.index, page))",
        instead="(Cat(window.index, ~page))",
    ),
    "a response is forgotten while it is recent": Bug(
        module=f"{CHANNEL}.recent",
        text="(since[8:] != 0)",
        instead="(since[4:] != 0)",
    ),
}
"""Likewise, of the compact arbiter and its channel, in cases of a few thousand clocks."""

COMPACT_GROUPS_BUGS = {
    "ties go to the higher group": Bug(
        module=f"{COMPACT}.tournament",
        text="(second.key.as_value() < first.key.as_value())",
        instead="(second.key.as_value() <= first.key.as_value())",
    ),
    "the scale of tags wraps unseen": Bug(
        module=f"{COMPACT}.keys",
        text="(self.times[0][-3:] - 3)[2]",
        instead="Const(0, 1)",
    ),
}
"""Likewise; they take two groups of tenants."""

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
    "the anchor is as old as a stale tag": (
        "tags.py",
        "time - (s[at.STALE_AFTER] >> 1)",
        "time - s[at.STALE_AFTER]",
    ),
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
        "s[live.PORT_CREDIT] - s[at.L_MAX]",
        "s[live.PORT_CREDIT] - s[at.BEAT_BYTES]",
    ),
    "an age is counted before its limit": ("age.py", "visited_age >= s", "visited_age > s"),
    "a colour has three bits": ("ports.py", "range(_COLOUR_BITS)", "range(_COLOUR_BITS - 1)"),
    "a latency counts in the bin above": ("monitor.py", "while clocks > 1:", "while clocks > 0:"),
}
"""By what goes wrong: file of the model, text, and what stands there instead."""
