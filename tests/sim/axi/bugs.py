"""Mistakes in the ports that the soak has to find, each an expression of the hardware."""

from tests.planted import Bug

__all__ = ["BUGS", "COMMIT_BUGS", "SPREAD_BUGS"]

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

COMMIT_BUGS = {
    "port 1 keeps the rows that it had": Bug(
        module="mcos_hw.fabric.port_store",
        text="image.commit_stb",
        instead="image.commit_stb & Const(k != 1, 1)",
    ),
    "settings of tenants count word by word": Bug(
        module="mcos_hw.control.store",
        text="self.commit_stb",
        instead="self.commit_stb | self.tenant.stb",
    ),
    "fragments before the last one of a burst lose its tag": Bug(
        module=f"{PORT}.reads",
        text="fragment.tenant",
        instead="Mux(fragment.last, fragment.tenant, 0)",
    ),
    "bursts of a tenant that is not enabled pass": Bug(
        module=f"{PORT}.tenant_table",
        text="self.enabled.bit_select(row.tenant, 1)",
        instead="Const(1, 1)",
    ),
    "prices are of another weight in every other generation": Bug(
        module="mcos_hw.channel.intake",
        text="price_terms(config, self.request.payload.beats, inverse)",
        instead="price_terms(config, self.request.payload.beats, "
        "inverse << self.live.generation[0])",
    ),
    "nobody looks at colours": Bug(
        module="mcos_hw.channel.intake",
        text="~colours.bit_select(colour, 1)",
        instead="Const(0, 1)",
    ),
    "requests of a tenant that is disabled wait for tokens": Bug(
        module="mcos_hw.channel.classes", text="~contract.enable", instead="Const(0, 1)"
    ),
    "nobody is served in every other generation": Bug(
        module="mcos_hw.channel.classes",
        text='~(contract.refuse_outside & request["outside"])',
        instead='~(contract.refuse_outside & request["outside"]) & ~self.live.generation[0]',
    ),
    "committed buckets do not fill in every other generation": Bug(
        module="mcos_hw.channel.bucket",
        text="contract.committed_rate",
        instead="Mux(self.live.generation[0], 0, contract.committed_rate)",
    ),
    "virtual time moves by twice the sum of weights": Bug(
        module="mcos_hw.channel.arbiter.wf2q.virtual_time",
        text="self.inverse_total_weight",
        instead="(self.inverse_total_weight >> 1)",
    ),
    "all channels have the settings of the first": Bug(
        module="mcos_hw.control.plane",
        text="loader.live_channels[c]",
        instead="loader.live_channels[0]",
    ),
    "the interleave changes under load": Bug(
        module="mcos_hw.control.loader", text="moves & ~self.drained", instead="Const(0, 1)"
    ),
    "one port that is idle is enough": Bug(
        module="mcos_hw.fabric.fabric", text="idle.all()", instead="idle.any()"
    ),
    "what a tenant without places has under way never lands": Bug(
        module=f"{PORT}.landing", text="(held_then == 0)", instead="Const(0, 1)"
    ),
    "a port with reads under way is idle": Bug(
        module=f"{PORT}.reads", text="(under_way == 0)", instead="Const(1, 1)"
    ),
    "a port with writes under way is idle": Bug(
        module=f"{PORT}.writes", text="(under_way == 0)", instead="Const(1, 1)"
    ),
    "a port that a read enters is idle": Bug(
        module=f"{PORT}.axi_port", text="~read_address.bursts.valid", instead="Const(1, 1)"
    ),
}
"""What goes wrong when images are committed, by what it is."""
