"""Mistakes in the ports that the soak has to find, each an expression of the hardware."""

from tests.planted import Bug

__all__ = ["BUGS", "SPREAD_BUGS"]

PORT = "mcos_hw.port"

BUGS = {
    "there is no hazard": Bug(
        module=f"{PORT}.hazard", text="~blocked[k].any()", instead="Const(1, 1)"
    ),
    "WLAST is lost": Bug(module=f"{PORT}.axi_out", text="out.last", instead="Const(0, 1)"),
    "entries of B are taken from R": Bug(
        module=f"{PORT}.axi_out",
        text="write_origin.data.entry",
        instead="read_origin.data.entry",
    ),
    "a burst gets the response of the next entry": Bug(
        module=f"{PORT}.writes",
        text="Mux(fragment.refused, 0, written_read.data)",
        instead="Mux(fragment.refused, 0, written_write.data)",
    ),
    "the worst response of a burst is forgotten": Bug(
        module=f"{PORT}.writes",
        text="Mux(fragment.first, 0, worst_read.data)",
        instead="Const(0, 2)",
    ),
    "a wrong WLAST is let pass": Bug(
        module=f"{PORT}.packer",
        text="Mux(wrong, Response.SLVERR, 0)",
        instead="Const(0, 2)",
    ),
    "a read is answered with its first beat": Bug(
        module=f"{PORT}.reads",
        text="returned.valid & returned.last",
        instead="returned.valid",
    ),
    "the return bank takes a beat too many": Bug(
        module=f"{PORT}.return_bank",
        text="(free_else >= self.beats)",
        instead="(free_else + 1 >= self.beats)",
    ),
    "every fragment ends with RLAST": Bug(
        module=f"{PORT}.unpack", text="ends & ends_burst", instead="ends"
    ),
}
"""By what goes wrong."""

SPREAD_BUGS = {
    "reads of an ID have an order in each channel alone": Bug(
        module=f"{PORT}.reads",
        text="fragment.id[: port.order_bits]",
        instead="(fragment.id ^ channel)[: port.order_bits]",
    ),
    "one completion is lost when two channels have one in the same clock": Bug(
        module=f"{PORT}.gather",
        text="(each.valid)",
        instead="(each.valid & ~Cat(i.valid for i in self.i[:c]).any())",
    ),
    "there is no hazard": BUGS["there is no hazard"],
    "a read takes its data from the next channel's bank": Bug(
        module=f"{PORT}.reads",
        text="(found_channel == c)",
        instead="((found_channel ^ 1) == c)",
    ),
    "a write puts its data into the next channel's bank": Bug(
        module=f"{PORT}.writes",
        text="(word_channel == c)",
        instead="((word_channel ^ 1) == c)",
    ),
    "a read goes to memory with the window in its address": Bug(
        module=f"{PORT}.reads",
        text="local & ~(fabric.beat_bytes - 1)",
        instead="fragment.address & ~(fabric.beat_bytes - 1)",
    ),
    "the next channel gets the credit back": Bug(
        module=f"{PORT}.landings",
        text="self.departed[c]",
        instead="self.departed[c ^ 1]",
    ),
}
"""Mistakes of ports in front of several channels, by what goes wrong."""
