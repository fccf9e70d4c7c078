"""What a core has one of: registers, image loader, clock stamp and epoch."""

from collections.abc import Mapping, Sequence
from typing import Any

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Member, Out, connect, flipped
from amaranth.utils import exact_log2

from mcos_hw.bus.axi4lite import Axi4LiteInterface, Axi4LiteSignature
from mcos_hw.config import ChannelConfig
from mcos_hw.control.bank import (
    RegisterBank,
    event_signature,
    identification,
    register_layout,
    window_signature,
)
from mcos_hw.control.channel_pages import ChannelPages
from mcos_hw.control.epoch import EpochTimer
from mcos_hw.control.guard import Guard
from mcos_hw.control.interrupt import Interrupt
from mcos_hw.control.loader import ImageLoader
from mcos_hw.control.store import PortImage, port_image_signature
from mcos_hw.control.utilisation import ChannelUtilisation
from mcos_hw.link.contract import ContractReads, contract_reads_signature, reads_of_channels
from mcos_hw.link.epoch import Epoch, epoch_signature
from mcos_hw.link.live import Live, live_signature, section_layout
from mcos_hw.link.readings import (
    CounterRead,
    counter_read_signature,
    delayed_registers,
    monitor_windows,
)
from mcos_hw.link.utilisation import Utilisation, granted_layout, utilisation_signature
from mcos_hw.registers import Access, ArbiterKind, Register, RegisterMap, channel_map
from mcos_hw.registers.fabric_settings import channel_reading
from mcos_hw.registers.image import ImageCode, SectionKind
from mcos_hw.registers.interrupt import InterruptEvent
from mcos_hw.registers.power import POWER_READINGS
from mcos_hw.registers.utilisation import UTILISATION_INTERVAL

__all__ = ["ControlPlane"]


_SUPERVISION = ("GUARD_CLAIM", "GUARD_RELEASE", "INTERRUPT_MASK", "INTERRUPT_CLEAR")

_OWN = ("IMAGE_CONTROL", "IMAGE_DATA", "GUARD_TAKEOVER", *_SUPERVISION)
"""Registers whose writes stay inside."""


class ControlPlane(wiring.Component):
    """Lets software configure and read what is around it, over AXI4-Lite.

    It answers for every register. It loads images itself; windows and events of the other
    registers are members, by lower-case name, for whoever owns them.

    A map with a page for each of several channels is that of a fabric of so many. What each channel
    has of its own is an array then, with a place for each channel. There is one guard for all
    registers, and an interrupt.

    Parameters
    ----------
    config : ChannelConfig
        Sizes of each channel.
    registers : RegisterMap
        All registers: those of :func:`mcos_hw.registers.channel_map`, and maybe more.
    arbiter : ArbiterKind
        What the register ARBITER reads as.
    constants : Mapping[str, int]
        Words of further READ registers that never change, by name.

    Members
    -------
    s_axil : In(Axi4LiteSignature)
        Registers.
    now : Out(stamp_width)
        Clocks since reset, modulo.
    live : Out(Live)
        Live configuration; all zero after reset. With several channels, that of channel 0.
    live_channels : Out(Live), an array
        Live configuration of each of several channels; not there for one.
    live_fabric : Out(section_layout(registers, FABRIC))
        Live settings of all channels together; only if the map has some.
    ports : Out(PortImage)
        What images set of ports; only if the map has such settings.
    drained : In(1)
        No request is under way behind the ports; only with several channels.
    contracts : In(ContractReads)
        What the channel reads of it, one tenant at a time; an array with several.
    epoch : Out(Epoch)
        Over which clocks monitors count: one for all channels.
    load : In(2)
        What the register LOAD reads as; an array with several channels.
    busy, stalled : In(32)
        What these registers read as; arrays with several channels; only if ``config.monitors`` is
        set.
    reading : Out(CounterRead)
        The read of a counter; an array with several channels; only in compact channels with
        monitors.
    late : In(1), an array
        A response of this channel counts as later than its objective; only with several channels
        and monitors.
    granted : In(granted_layout), an array
        The grant of a channel; only with several channels.
    utilisation : Out(Utilisation), an array
        Averages of what the tenants of a channel were granted; only with several channels.
    irq : Out(1)
        Software is to look, see :class:`mcos_hw.control.interrupt.Interrupt`; only with several
        channels.
    power_status, power_in_force, power_guaranteed : In(register_layout)
        What these registers read as; only with a power governor.
    <array> : Out(window_signature)
        One for every READ array; an array with several channels if each has the register.
    <event> : Out(event_signature)
        One for every other WRITE register.
    """

    s_axil: Axi4LiteInterface
    now: Signal
    live: Live
    live_channels: Sequence[Live]
    live_fabric: data.View
    ports: PortImage
    power_status: data.View
    power_in_force: data.View
    power_guaranteed: data.View
    drained: Signal
    contracts: ContractReads
    epoch: Epoch
    load: Signal
    busy: Signal
    stalled: Signal
    reading: CounterRead
    late: Sequence[Signal]
    granted: Sequence[data.View]
    utilisation: Sequence[Utilisation]
    irq: Signal

    def __init__(
        self,
        config: ChannelConfig,
        registers: RegisterMap,
        *,
        arbiter: ArbiterKind,
        constants: Mapping[str, int] | None = None,
    ) -> None:
        self.config = config
        self.registers = registers
        self.arbiter = arbiter
        self.constants = dict(constants or {})
        self.delayed = delayed_registers(config)
        one = self.channels == 1

        def each_has(member: Member) -> Member:
            return member if one else member.array(self.channels)

        live = live_signature(channel_map(config))
        own = {"contracts": In(contract_reads_signature(config)), "load": In(2)}
        if config.monitors:
            own |= {"busy": In(32), "stalled": In(32)}
            own |= {
                name: Out(window_signature(registers[name.upper()]))
                for name in monitor_windows(config)
            }
        if self.delayed:
            own["reading"] = Out(counter_read_signature(config))
        if not one:
            own["utilisation"] = Out(utilisation_signature(config))
            own["granted"] = In(granted_layout(config))
            if config.monitors:
                own["late"] = In(1)
        super().__init__(
            {
                "s_axil": In(Axi4LiteSignature(registers.address_width)),
                "now": Out(config.stamp_width),
                "live": Out(live),
                **({} if one else {"live_channels": each_has(Out(live)), "irq": Out(1)}),
                **self._fabric_members(),
                "epoch": Out(epoch_signature()),
                **{name: each_has(member) for name, member in own.items()},
                **{each.name.lower(): Out(window_signature(each)) for each in self.windows},
                **{each.name.lower(): Out(event_signature(each)) for each in self.events},
            }
        )

    def _fabric_members(self) -> dict[str, wiring.Member]:
        """What there is beside a channel's."""
        members = {}
        if self.registers.channels > 1:
            members["drained"] = In(1)
        if SectionKind.FABRIC in self.registers.sections():
            members["live_fabric"] = Out(section_layout(self.registers, SectionKind.FABRIC))
        if SectionKind.PORTS in self.registers.sections():
            members["ports"] = Out(port_image_signature(self.registers))
        for register in self.power_readings:
            members[register.name.lower()] = In(register_layout(register))
        return members

    @property
    def power_readings(self) -> tuple[Register, ...]:
        """Registers that the power governor drives."""
        return tuple(each for each in self.registers.registers if each.name in POWER_READINGS)

    @property
    def channel_readings(self) -> dict[str, Register]:
        """Arrays that the settings of every channel read as, by the name of their window."""
        if self.registers.channels == 1:
            return {}
        settings = self.registers.section(SectionKind.CHANNEL)
        return {channel_reading(each).lower(): each for each in settings}

    @property
    def channels(self) -> int:
        """Channels that it serves."""
        return self.registers.channels

    def of_channel(self, name: str, channel: int) -> Any:
        """The member ``name`` of what a channel has of its own."""
        member = getattr(self, name)
        return member if self.channels == 1 else member[channel]

    @property
    def windows(self) -> tuple[Register, ...]:
        """Registers that are read as arrays and that no channel has of its own."""
        own = monitor_windows(self.config)
        return tuple(
            each
            for each in self.registers.registers
            if (each.access is Access.READ or each.section is SectionKind.PORTS)
            and each.count > 1
            and each.name.lower() not in (*own, *self.channel_readings)
        )

    @property
    def events(self) -> tuple[Register, ...]:
        """Registers whose writes are events for somebody else."""
        return tuple(
            each
            for each in self.registers.registers
            if each.access is Access.WRITE and each.name not in _OWN
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.bank = bank = RegisterBank(
            self.registers,
            constants=identification(self.registers, arbiter=self.arbiter) | self.constants,
            delayed=self.delayed,
        )
        m.submodules.loader = loader = ImageLoader(self.config, self.registers)
        m.submodules.timer = timer = EpochTimer()

        connect(m, flipped(self.s_axil), bank.s_axil)
        for register in (*self.windows, *self.events):
            name = register.name.lower()
            connect(m, getattr(bank, name), flipped(getattr(self, name)))

        file = self.registers.file
        if file is None:
            self._serve_channel(m, bank, loader)
        else:
            m.submodules.pages = pages = ChannelPages(self.config, file)
            connect(m, bank.page, pages.page)
            interval = Signal(exact_log2(UTILISATION_INTERVAL))
            m.d.sync += interval.eq(interval + 1)
            for c in range(self.channels):
                self._serve_one_of(m, c, pages, loader, interval.all())
            self._guard_and_interrupt(m, bank, loader, timer)

        m.d.sync += self.now.eq(self.now + 1)
        m.d.comb += [
            self.live.channel.eq(loader.live.channel),
            self.live.tenants.eq(loader.live.tenants),
            self.live.generation.eq(loader.generation),
            timer.length.eq(loader.live.channel.epoch_clocks),
        ]
        self._connect_fabric(m, bank, loader)
        connect(m, timer.epoch, flipped(self.epoch))

        # The bank has a member for every WRITE register of whatever map it is given. A clock
        # between the bus and the checksum.
        control, image = (getattr(bank, name) for name in ("image_control", "image_data"))
        m.d.sync += [
            loader.begin.eq(control.stb & control.begin),
            loader.commit.eq(control.stb & control.commit),
            loader.word_stb.eq(image.stb),
            loader.word.eq(image.word),
        ]
        if self.registers.paged:
            connect(m, bank.image, loader.image)
        else:
            m.d.comb += bank.live.eq(loader.live)
        status = bank.values.image_status
        m.d.comb += [
            status.state.eq(loader.state),
            status.code.eq(loader.code),
            status.received.eq(loader.received),
            bank.values.generation.commits.eq(loader.generation),
            bank.values.live_label.label.eq(loader.live_label),
            bank.values.live_crc.crc.eq(loader.live_crc),
            bank.values.epoch.epoch.eq(timer.epoch.number - 1),
        ]
        return m

    def _serve_channel(self, m: Module, bank: RegisterBank, loader: ImageLoader) -> None:
        """The only channel: its registers, and what it reads of the live image."""
        connect(m, flipped(self.contracts), loader.contracts)
        m.d.comb += bank.values.load.quarter.eq(self.load)
        if self.config.monitors:
            m.d.comb += [
                data.View.as_value(bank.values[name]).eq(getattr(self, name))
                for name in ("busy", "stalled")
            ]
            for name in monitor_windows(self.config):
                connect(m, getattr(bank, name), flipped(getattr(self, name)))
        if self.delayed:
            m.d.comb += [
                self.reading.asked.eq(bank.reading.asked),
                self.reading.address.eq(bank.reading.address),
                bank.reading.given.eq(self.reading.given),
            ]

    def _serve_one_of(
        self, m: Module, c: int, pages: ChannelPages, loader: ImageLoader, interval_ends: Value
    ) -> None:
        """One of several channels: its registers, and what it reads of the live image."""
        live = self.live_channels[c]
        reads = reads_of_channels(loader.contracts, self.channels)[c]
        connect(m, flipped(self.of_channel("contracts", c)), reads)
        m.d.comb += [
            live.channel.eq(loader.live_channels[c]),
            live.tenants.eq(loader.live.tenants),
            live.generation.eq(loader.generation),
        ]
        shown = ["load", *(["busy", "stalled"] if self.config.monitors else [])]
        m.d.comb += [getattr(pages, name)[c].eq(self.of_channel(name, c)) for name in shown]
        if self.config.monitors:
            for name in monitor_windows(self.config):
                connect(m, getattr(pages, name)[c], flipped(self.of_channel(name, c)))
        if self.delayed:
            connect(m, pages.reading[c], flipped(self.of_channel("reading", c)))
        m.submodules[f"utilisation_{c}"] = averages = ChannelUtilisation(self.config)
        connect(m, pages.utilisation[c], averages.window)
        connect(m, averages.utilisation, flipped(self.utilisation[c]))
        m.d.comb += [averages.ends.eq(interval_ends), averages.granted.eq(self.granted[c])]

    def _guard_and_interrupt(
        self, m: Module, bank: RegisterBank, loader: ImageLoader, timer: EpochTimer
    ) -> None:
        """Who may write, and what software is told without asking."""
        claim, release, mask, clear = (getattr(bank, name.lower()) for name in _SUPERVISION)
        m.submodules.guard = guard = Guard()
        connect(m, bank.guard, guard.write)
        m.d.comb += [
            guard.claim.eq(claim.stb & claim.claim),
            guard.release.eq(release.stb & release.release),
            bank.values.guard.owned.eq(guard.owned),
            bank.values.guard.owner.eq(guard.owner),
            bank.values.guard.window.eq(bank.read_window),
            bank.values.guard_faults.count.eq(guard.faults),
        ]

        m.submodules.interrupts = interrupts = Interrupt()
        late = Signal()
        was_late = Signal()
        refused = Signal()
        m.d.comb += refused.eq(loader.code != ImageCode.NONE)
        if self.config.monitors:
            m.d.comb += late.eq(was_late | Cat(self.late).any())
        m.d.sync += was_late.eq(late & ~timer.epoch.latch)
        was_refused = Signal()
        m.d.sync += was_refused.eq(refused)
        m.d.comb += [
            interrupts.events[InterruptEvent.EPOCH].eq(timer.epoch.latch),
            interrupts.events[InterruptEvent.VIOLATION].eq(timer.epoch.latch & late),
            interrupts.events[InterruptEvent.REFUSED].eq(refused & ~was_refused),
            interrupts.events[InterruptEvent.GUARD].eq(guard.refused),
            interrupts.mask_stb.eq(mask.stb),
            interrupts.clear_stb.eq(clear.stb),
            self.irq.eq(interrupts.irq),
        ]
        for event in InterruptEvent:
            name = event.name.lower()
            m.d.comb += [
                interrupts.mask[event].eq(getattr(mask, name)),
                interrupts.clear[event].eq(getattr(clear, name)),
                bank.values.interrupt[name].eq(interrupts.pending[event]),
                bank.values.interrupt[f"{name}_enabled"].eq(interrupts.enabled[event]),
            ]

    def _connect_fabric(self, m: Module, bank: RegisterBank, loader: ImageLoader) -> None:
        """What an image sets beside a channel and its tenants, live and as software reads it."""
        if self.registers.channels > 1:
            m.d.comb += loader.drained.eq(self.drained)
        if hasattr(self, "live_fabric"):
            m.d.comb += self.live_fabric.eq(loader.live_fabric)
        if hasattr(self, "ports"):
            connect(m, loader.ports, flipped(self.ports))
        if loader.names_sections:
            refused = bank.values.image_section
            m.d.comb += Cat(refused.kind, refused.index).eq(loader.section)
        for register in self.registers.section(SectionKind.FABRIC):
            for field in register.fields:
                value = bank.values[register.name.lower()][field.name]
                m.d.comb += value.eq(loader.live_fabric[field.name])
        for register in self.power_readings:
            name = register.name.lower()
            m.d.comb += bank.values[name].eq(getattr(self, name))
        for name, register in self.channel_readings.items():
            window = getattr(bank, name)
            words = []
            for channel in loader.live_channels:
                word = data.View(register_layout(register), Signal(32))
                m.d.comb += [word[field.name].eq(channel[field.name]) for field in register.fields]
                words.append(word.as_value())
            m.d.sync += window.data.eq(Array(words)[window.index])
