"""Mistakes in the hardware that a waveform has to show, by the rule that has to name them."""

from mcos_sim.waves.rules import Rule
from tests.planted import Bug

CHANNEL = "mcos_hw.channel"

WAVEFORM_BUGS = {
    Rule.WRONG_ORDER: Bug(
        module=f"{CHANNEL}.order",
        text="before(following.finish, heads[j].finish, below[j])",
        instead="before(heads[j].finish, following.finish, below[j])",
    ),
    Rule.DOUBLE_GRANT: Bug(
        module=f"{CHANNEL}.queue",
        text="m.d.sync += row.eq(row + 1)",
        instead="m.d.sync += row.eq(row + (row[:2] != 3))",
    ),
    Rule.NOT_CHARGED: Bug(
        module=f"{CHANNEL}.bucket",
        text="charge.eq(Mux(charged, self.beats, 0))",
        instead="charge.eq(0)",
    ),
    Rule.CHARGED_TWICE: Bug(
        module=f"{CHANNEL}.bucket",
        text="charge.eq(Mux(charged, self.beats, 0))",
        instead="charge.eq(Mux(charged, self.beats + self.beats[:4], 0))",
    ),
    Rule.STUCK: Bug(
        module=f"{CHANNEL}.queue",
        text="head.present.eq(waiting_then != 0)",
        instead="head.present.eq((waiting_then != 0) & (i != 1))",
    ),
    Rule.LOST_REQUEST: Bug(
        module=f"{CHANNEL}.queue",
        text="count_then.eq(count + self.taken[i] - leaves)",
        instead="count_then.eq(count + (self.taken[i] & ~leaves) - leaves)",
    ),
    Rule.DOUBLE_RESPONSE: Bug(
        module=f"{CHANNEL}.slots",
        text="self.served.eq(self.complete)",
        instead="self.served.eq(self.complete | (self.served & (completed_slot[:2] == 1)))",
    ),
    Rule.AGE_GUARD: Bug(
        module=f"{CHANNEL}.age",
        text="with m.If(due & ~self.promoted & ~self.promote.any()):",
        instead="with m.If(Const(0, 1)):",
    ),
    Rule.HALF_COMMIT: Bug(
        module="mcos_hw.control.store",
        text="m.d.sync += self.live.eq(self.shadow)",
        instead=(
            "m.d.sync += [self.live.channel.eq(self.shadow.channel), "
            "self.live.tenants[0].eq(self.shadow.tenants[0])]"
        ),
    ),
    Rule.HANDSHAKE: Bug(
        module=f"{CHANNEL}.outlet",
        text="self.commands.valid.eq(self.valid | (count != 0)),",
        instead="self.commands.valid.eq(self.valid | ((count != 0) & ~self.command.slot[0])),",
    ),
    Rule.NO_WRAP: Bug(
        module=f"{CHANNEL}.order",
        text="return (Cat(Const(0, 1), left) - Cat(tie, right))[len(left)]",
        instead="return Cat(Const(0, 1), left) < Cat(tie, right)",
    ),
}
