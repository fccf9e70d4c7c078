"""Contracts for a part under test: all settings of all tenants, set by the testbench."""

import dataclasses

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, connect, flipped

from mcos_hw.control.store import select_contract
from mcos_hw.link.live import live_signature
from mcos_hw.registers import channel_map

__all__ = [
    "Contracted",
    "give_settings",
    "settings_signature",
]


def settings_signature(config):
    """A live configuration with all settings, those too that a compact channel reads."""
    return live_signature(channel_map(dataclasses.replace(config, grant_interval=1)))


def give_settings(m, settings, *, live=(), reads=()):
    """Give parts their live configuration, and what they read, of ``settings``."""
    for each in live:
        m.d.comb += [each.channel.eq(settings.channel), each.generation.eq(settings.generation)]
        for given, row in zip(settings.tenants, each.tenants, strict=True):
            m.d.comb += [row[name].eq(given[name]) for name in row.shape().members]
    for read in reads:
        select_contract(m, settings.tenants, read)


class Contracted(wiring.Component):
    """A part with its members, but all settings in ``live``, and no reads of contracts."""

    def __init__(self, part):
        self.part = part
        members = dict(part.signature.members)
        del members["contract"]
        super().__init__(members | {"live": In(settings_signature(part.config))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.part = part = self.part
        live = [part.live] if "live" in part.signature.members else []
        give_settings(m, self.live, live=live, reads=[part.contract])
        for name in self.signature.members.keys() - {"live"}:
            inner, outer = getattr(part, name), getattr(self, name)
            if part.signature.members[name].is_port:
                enters = part.signature.members[name].flow is In
                m.d.comb += inner.eq(outer) if enters else outer.eq(inner)
            else:
                connect(m, inner, flipped(outer))
        return m
