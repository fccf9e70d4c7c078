"""Registers of the movement engines: each client gives commands through a page of its own."""

import dataclasses
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import or_
from typing import Any

from amaranth import *
from amaranth.hdl import Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.bus.axi4lite import Axi4LiteInterface, Axi4LiteSignature, Response
from mcos_hw.config import FabricConfig, MovementConfig
from mcos_hw.control.bank import RegisterBank, Window
from mcos_hw.link.movement import (
    LEASE_WIDTH,
    Outcome,
    completion_signature,
    movement_command_signature,
)
from mcos_hw.link.request import StructuredStream
from mcos_hw.movement.mailboxes import Mailboxes
from mcos_hw.movement.quotas import quota_layout
from mcos_hw.movement.settings import SETTINGS, MovementSettings
from mcos_hw.primitive.select import at_index
from mcos_hw.registers.declaration import Access, Register
from mcos_hw.registers.movement import (
    MOVEMENT_MAGIC,
    MOVEMENT_TIERS,
    SETTINGS_PAGE,
    client_page,
    movement_map,
)

__all__ = ["MovementPages"]


class MovementPages(wiring.Component):
    """AXI4-Lite subordinate in front of the movement engines.

    The registers of :func:`mcos_hw.registers.movement.movement_map` appear in pages of 4 KiB. The
    page of a write says whose it is: a client that has but its own page mapped cannot name another
    tenant. A write that its page may not do, a command without room, and a completion that is not
    there are answered with SLVERR and counted; nothing happens then.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes of the fabric.
    movement : MovementConfig
        Sizes of the engines.

    Members
    -------
    s_axil : In(Axi4LiteSignature)
        The bus.
    irq : Out(tenants)
        Bit t: a completion waits for the client of tenant t, who wants to be interrupted for it. A
        level, out of a register.
    commands : Out(stream), completions : In(stream)
        To the engines and from them.
    bases, up, quota, movement_tags, lease_clock, lease : Out
        As :class:`mcos_hw.movement.movement.Movement` takes them.
    left : In, an array with one for each tier
        Free frames.
    """

    s_axil: Axi4LiteInterface
    irq: Signal
    commands: StructuredStream
    completions: StructuredStream
    bases: Sequence[Signal]
    up: Signal
    quota: data.View
    movement_tags: Sequence[Signal]
    lease_clock: Signal
    lease: Signal
    left: Sequence[Signal]

    def __init__(self, fabric: FabricConfig, movement: MovementConfig) -> None:
        self.fabric = fabric
        self.movement = movement
        self.registers = movement_map()
        tiers, channel = len(movement.frames), fabric.channel
        super().__init__(
            {
                "s_axil": In(Axi4LiteSignature(self.registers.address_width)),
                "irq": Out(channel.tenants),
                "commands": Out(movement_command_signature(fabric, movement)),
                "completions": In(completion_signature(fabric, movement)),
                "bases": Out(channel.address_width).array(tiers),
                "up": Out(tiers),
                "quota": Out(quota_layout(fabric, movement)),
                "movement_tags": Out(channel.tenant_width).array(channel.tenants),
                "lease_clock": Out(LEASE_WIDTH),
                "lease": Out(LEASE_WIDTH),
                "left": In(movement.frame_width + 1).array(tiers),
            }
        )

    def elaborate(self, platform):
        m = Module()
        one_page = dataclasses.replace(
            self.registers, address_width=self.registers.map_width, windows=1
        )
        bank: Any = RegisterBank(one_page, constants=self._constants())
        m.submodules.bank = bank
        m.submodules.mailboxes = mailboxes = Mailboxes(self.fabric, self.movement)
        m.submodules.settings = settings = MovementSettings(self.fabric, self.movement)
        connect(m, mailboxes.commands, flipped(self.commands))
        connect(m, flipped(self.completions), mailboxes.completions)
        write_page, read_page = self._elaborate_bus(m, bank)
        writes = self._allowed(m, bank, mailboxes, write_page)
        self._elaborate_settings(m, bank, settings, writes)
        self._elaborate_writes(m, bank, mailboxes, writes)
        self._elaborate_values(m, bank, mailboxes, read_page)
        self._elaborate_arrays(m, bank)
        return m

    def _constants(self) -> dict[str, int]:
        """Words that say what was built."""
        registers, movement = self.registers, self.movement
        return {
            "MOVEMENT": MOVEMENT_MAGIC,
            "MAP_HASH": registers.hash,
            "SIZES": registers["SIZES"].pack(
                tenants=self.fabric.channel.tenants,
                tiers=len(movement.frames),
                commands=movement.commands,
            ),
            "FRAME": movement.frame_bytes,
        }

    def _elaborate_bus(self, m: Module, bank: Any) -> tuple[Signal, Signal]:
        """Takes the page from each address; the pages of the write and of the read that go on."""
        outer, inner, low = self.s_axil, bank.s_axil, self.registers.map_width
        pages = []
        for side in ("aw", "ar"):
            address, page = (
                getattr(outer, f"{side}addr"),
                Signal(len(outer.awaddr) - low, name=f"{side}_page"),
            )
            m.d.comb += getattr(inner, f"{side}addr").eq(address[:low])
            with m.If(getattr(inner, f"{side}valid") & getattr(inner, f"{side}ready")):
                m.d.sync += page.eq(address[low:])
            pages.append(page)
        for name, member in Axi4LiteSignature(low).members.items():
            if name in ("awaddr", "araddr", "bresp"):
                continue
            left, right = getattr(inner, name), getattr(outer, name)
            m.d.comb += left.eq(right) if member.flow is Out else right.eq(left)
        return pages[0], pages[1]

    def _is_client(self, page: Value) -> Value:
        return (page >= client_page(0)) & (page < client_page(self.fabric.channel.tenants))

    def _allowed(
        self, m: Module, bank: Any, mailboxes: Mailboxes, page: Value
    ) -> dict[str, Signal]:
        """The writes that happen in this clock, by register; the others are refused."""
        tenants, tiers = self.fabric.channel.tenants, len(self.movement.frames)
        client = Signal(name="writer_is_client")
        writer = mailboxes.writer
        m.d.comb += [client.eq(self._is_client(page)), writer.eq(page - client_page(0))]
        asked, allowed = [], {}
        for name in self._writable():
            event = getattr(bank, name.lower())
            may = client
            if name in SETTINGS:
                may = page == SETTINGS_PAGE
                if "tier" in event.signature.members:
                    may &= event.tier < tiers
                if "tenant" in event.signature.members:
                    may &= event.tenant < tenants
                if name == "SET_QUOTA":
                    may &= event.frames < 2 << self.movement.frame_width
                if name == "SET_TAG":
                    may &= event.tag < tenants
            if name == "COMMAND":
                may &= at_index(writer, mailboxes.room) != 0
            if name == "COMPLETION_TAKE":
                may &= at_index(writer, mailboxes.waiting) != 0
            happens = Signal(name=f"{name.lower()}_happens")
            m.d.comb += happens.eq(event.stb & may)
            asked.append(event.stb)
            allowed[name] = happens
        refused, refuses = Signal(), Signal()
        any_asked = reduce(or_, asked)
        m.d.comb += [
            refuses.eq(any_asked & ~reduce(or_, allowed.values())),
            # The answer of a write comes before the next one happens.
            self.s_axil.bresp.eq(Mux(refused, Response.SLVERR, bank.s_axil.bresp)),
        ]
        with m.If(any_asked):
            m.d.sync += refused.eq(refuses)
        with m.Elif(bank.s_axil.bvalid & bank.s_axil.bready):
            m.d.sync += refused.eq(0)
        count = Signal(32, name="refused_count")
        m.d.sync += count.eq(count + refuses)
        m.d.comb += bank.values.refused.eq(count)
        return allowed

    def _writable(self) -> Iterator[str]:
        for register in self.registers.registers:
            if register.access is Access.WRITE:
                yield register.name

    def _elaborate_settings(
        self,
        m: Module,
        bank: Any,
        settings: MovementSettings,
        writes: dict[str, Signal],
    ) -> None:
        for name in SETTINGS:
            event, kept = getattr(bank, name.lower()), getattr(settings, name.lower())
            for member in event.signature.members:
                if member != "stb":
                    m.d.comb += getattr(kept, member).eq(getattr(event, member))
            m.d.comb += kept.stb.eq(writes[name])
        m.d.comb += [
            self.up.eq(settings.up),
            self.quota.eq(settings.quota),
            self.lease_clock.eq(settings.lease_clock),
            self.lease.eq(settings.lease),
            bank.values.tiers_up.eq(settings.up),
            bank.values.lease_clock.eq(settings.lease_clock),
        ]
        for outside, inside in (
            *zip(self.bases, settings.bases, strict=True),
            *zip(self.movement_tags, settings.movement_tags, strict=True),
        ):
            m.d.comb += outside.eq(inside)

    def _elaborate_writes(
        self, m: Module, bank: Any, mailboxes: Mailboxes, writes: dict[str, Signal]
    ) -> None:
        """What a client writes."""
        parts, terms = mailboxes.parts, bank.terms
        m.d.comb += [
            parts.low_stb.eq(writes["OBJECT_LOW"]),
            parts.object_low.eq(bank.object_low.bits),
            parts.high_stb.eq(writes["OBJECT_HIGH"]),
            parts.object_high.eq(bank.object_high.bits),
            parts.version_stb.eq(writes["VERSION"]),
            parts.version.eq(bank.version.version),
            parts.readers_stb.eq(writes["READERS"]),
            parts.readers.eq(bank.readers.readers),
            parts.checksum_stb.eq(writes["CHECKSUM"]),
            parts.checksum.eq(bank.checksum.sum),
            parts.terms_stb.eq(writes["TERMS"]),
            *(
                getattr(parts, name).eq(getattr(terms, name))
                for name in ("term", "tier", "fallback", "urgency", "checks")
            ),
            mailboxes.give.eq(writes["COMMAND"]),
            mailboxes.number.eq(bank.command.number),
            mailboxes.operation.eq(bank.command.operation),
            mailboxes.take.eq(writes["COMPLETION_TAKE"] & bank.completion_take.take),
        ]
        enabled = Signal(self.fabric.channel.tenants)
        with m.If(writes["INTERRUPT"]):
            m.d.sync += enabled.bit_select(mailboxes.writer, 1).eq(bank.interrupt.enabled)
        m.d.sync += self.irq.eq(enabled & Cat(each != 0 for each in mailboxes.waiting))

    def _elaborate_values(self, m: Module, bank: Any, mailboxes: Mailboxes, page: Value) -> None:
        """What reads as it is for the page of the read."""
        reader, oldest = mailboxes.reader, mailboxes.oldest
        client, shown = Signal(name="reader_is_client"), Signal()
        m.d.comb += [
            client.eq(self._is_client(page)),
            reader.eq(page - client_page(0)),
            shown.eq(client & mailboxes.shown),
        ]
        room, waiting = at_index(reader, mailboxes.room), at_index(reader, mailboxes.waiting)
        high = Cat(oldest.address[32:], Const(0, 1))
        one = Const(1, 1)
        for name, valid, *fields in (
            ("PAGE", one, page, client, Mux(client, reader, 0)),
            ("QUEUE", client, room, waiting),
            ("COMPLETION", shown, oldest.number, oldest.outcome, oldest.reason, one),
            ("COMPLETION_PLACE", shown, oldest.term, oldest.tier),
            ("COMPLETION_VERSION", shown, oldest.version),
            ("COMPLETION_ADDRESS_LOW", shown, oldest.address[:32]),
            ("COMPLETION_ADDRESS_HIGH", shown, high),
        ):
            word = _word(self.registers[name], fields)
            m.d.comb += bank.values[name.lower()].eq(Mux(valid, word, 0))

    def _elaborate_arrays(self, m: Module, bank: Any) -> None:
        """Arrays: a word a clock after its index."""
        counts = [Signal(32, name=f"{each.name.lower()}_count") for each in Outcome]
        completions = self.completions
        for outcome, count in zip(Outcome, counts, strict=True):
            ends = completions.valid & completions.ready
            m.d.sync += count.eq(count + (ends & (completions.payload.outcome == outcome)))
        frames = [Const(count, 32) for count in self.movement.frames]
        arrays: dict[str, tuple[Window, Sequence[Value]]] = {
            "tier_frames": (bank.tier_frames, frames),
            "tier_free": (bank.tier_free, self.left),
            "outcomes": (bank.outcomes, counts),
        }
        for window, words in arrays.values():
            filled = [*words, *(Const(0, 1) for _ in range(MOVEMENT_TIERS - len(words)))]
            m.d.sync += window.data.eq(at_index(window.index, filled))


def _word(register: Register, values: Sequence[Value]) -> Value:
    """The word of a register with a value for each of its fields."""
    parts, end = [], 0
    for field, value in zip(register.fields, values, strict=True):
        parts += [Const(0, field.low - end), value]
        end = field.low + len(value)
    return Cat(parts)
