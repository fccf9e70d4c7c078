"""AXI ports, channels and their memory ports: what one puts between managers and memories."""

from collections.abc import Sequence
from typing import Any

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.bus.axi4 import AxiInterface
from mcos_hw.bus.axi4lite import Axi4LiteInterface, Axi4LiteSignature
from mcos_hw.channel.channel import Channel
from mcos_hw.channel.probe import probe_layout
from mcos_hw.config import FabricConfig
from mcos_hw.control.plane import ControlPlane
from mcos_hw.control.power import PowerGovernor
from mcos_hw.controller import arbiter_class, connect_control
from mcos_hw.fabric.contract_copy import ContractCopy
from mcos_hw.fabric.coordinator import Coordinator
from mcos_hw.fabric.held import Held
from mcos_hw.fabric.in_force import InForce
from mcos_hw.fabric.merge import LandingMerge
from mcos_hw.fabric.port_registers import PortRegisters
from mcos_hw.fabric.usage import ChannelUsage
from mcos_hw.link.inner import inner_member, inner_signature
from mcos_hw.link.interleave import interleave_of
from mcos_hw.link.power import PowerCap, power_cap_signature, power_status_layout
from mcos_hw.port.axi_out import AxiOut, memory_signature
from mcos_hw.port.axi_port import AxiPort, port_signature
from mcos_hw.port.inner_port import InnerPort
from mcos_hw.primitive.select import at_index
from mcos_hw.registers import ArbiterKind, PortError, fabric_map

__all__ = [
    "Fabric",
    "memory_name",
    "port_name",
    "probe_name",
]


def port_name(fabric: FabricConfig, number: int) -> str:
    """The member of a port: ``s00_axi``, or ``inner_00`` for an engine's."""
    return f"inner_{number:02}" if fabric.ports[number].inner else f"s{number:02}_axi"


def memory_name(channel: int) -> str:
    """The member of a channel's memory port."""
    return f"m{channel:02}_axi"


def probe_name(fabric: FabricConfig, channel: int) -> str:
    """The member of a channel's probe: ``probe`` if there is one channel."""
    return "probe" if fabric.channels == 1 else f"probe_{channel:02}"


class Fabric(wiring.Component):
    """Reads and writes with data, of several managers and tenants, through channels.

    A person puts it between their AXI4 managers and their memory controllers. Addresses are
    interleaved over the channels (:func:`mcos_hw.link.interleave.interleave_layout`); each memory
    has a part of them, from 0 on. The tenant tables
    say whose a burst is. What the ports couple and what not, :class:`mcos_hw.port.axi_port.AxiPort`
    says; what a tenant gets, the image of the channel does.

    An address passes an empty fabric from its port to a memory port in six clocks and those of
    the channel (two at L = 0, four else); with one port in five::

        clock        0     1     2     3     4     5     ...   c + 5   c + 6
        port         AR    in    table piece
        landing                              here
        merge                                      here
        channel                                    request ... command
        memory port                                                    AR

    At reset no image is live and no row is used: every burst is answered with DECERR.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.
    arbiter : ArbiterKind
        Who chooses the grants.

    Members
    -------
    s_axil : In(Axi4LiteSignature)
        Registers, see :func:`mcos_hw.registers.fabric_map`.
    s<p>_axi : In(Axi4Signature)
        Port p, two digits.
    inner_<p> : In(Inner)
        Port p if it is one of an engine inside.
    m<c>_axi : Out(memory_signature)
        The memory port of channel c, two digits.
    now : Out(stamp_width)
        Clocks since reset, modulo.
    irq : Out(1)
        Software is to look, see :class:`mcos_hw.control.interrupt.Interrupt`; only with several
        channels.
    probe : Out(probe_layout)
        State and choice of the channel in this clock; ``probe_<c>`` of each of several.
    power_cap : In(PowerCap)
        The cap that the system's power manager broadcasts; only if ``fabric.power`` is set.
    power_status : Out(power_status_layout)
        What the power governor does, likewise.
    """

    s_axil: Axi4LiteInterface
    m00_axi: AxiInterface
    now: Signal
    irq: Signal
    probe: data.View
    power_cap: PowerCap
    power_status: data.View

    def __init__(self, fabric: FabricConfig, *, arbiter: ArbiterKind = ArbiterKind.MCOS) -> None:
        self.fabric = fabric
        self.config = fabric.channel
        self.arbiter = arbiter
        self.registers = fabric_map(fabric)
        super().__init__(
            {
                "s_axil": In(Axi4LiteSignature(self.registers.address_width)),
                **{
                    port_name(fabric, k): In(
                        inner_signature(fabric, port)
                        if port.inner
                        else port_signature(fabric, port)
                    )
                    for k, port in enumerate(fabric.ports)
                },
                **{memory_name(c): Out(memory_signature(fabric)) for c in range(fabric.channels)},
                "now": Out(fabric.channel.stamp_width),
                **({"irq": Out(1)} if fabric.channels > 1 else {}),
                **{
                    probe_name(fabric, c): Out(probe_layout(fabric.channel))
                    for c in range(fabric.channels)
                },
                **(
                    {
                        "power_cap": In(power_cap_signature(fabric)),
                        "power_status": Out(power_status_layout(fabric)),
                    }
                    if fabric.power
                    else {}
                ),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fabric, config = self.fabric, self.config
        m.submodules.control = control = ControlPlane(
            config,
            self.registers,
            arbiter=self.arbiter,
            constants={"PORTS": self.registers["PORTS"].reset},
        )
        m.submodules.port_registers = settings = PortRegisters(fabric)
        # What there is one of.
        connect(m, flipped(self.s_axil), control.s_axil)
        connect(m, control.ports, settings.image)
        for name in settings.names:
            connect(m, getattr(control, name), getattr(settings, name))
        m.d.comb += self.now.eq(control.now)
        if fabric.channels > 1:
            m.d.comb += self.irq.eq(control.irq)

        governor = self._governor(m, control) if fabric.power else None

        # Channels and their memory ports.
        merges, channels, outs = [], [], []
        in_forces = self._in_forces(m) if fabric.channels > 1 else []
        for c in range(fabric.channels):
            merge, out = LandingMerge(fabric), AxiOut(fabric)
            channel = Channel(
                config,
                arbiter=arbiter_class(config, self.arbiter)(config),
                gated=False,
                coordinated=fabric.channels > 1,
            )
            number = f"_{c}" if fabric.channels > 1 else ""
            m.submodules[f"merge{number}"] = merge
            m.submodules[f"channel{number}"] = channel
            m.submodules[f"out{number}"] = out
            connect(m, merge.request, channel.request)
            connect(m, channel.command, out.command)
            connect(m, out.completion, channel.completion)
            connect(m, out.m_axi, flipped(getattr(self, memory_name(c))))
            m.d.comb += [
                out.command_id.eq(channel.command_id),
                getattr(self, probe_name(fabric, c)).eq(channel.probe),
            ]
            between: list[Any] = [in_forces[c]] if in_forces else []
            if held := self._held(m, governor, channel, c):
                between.append(held)
            connect_control(m, control, channel, number=c, between=between)
            merges.append(merge)
            channels.append(channel)
            outs.append(out)

        if in_forces:
            self._coordinate(m, control, channels, in_forces)

        # Ports.
        enabled = Cat(each.enable for each in control.live.tenants)
        idle = Signal(len(fabric.ports))
        if fabric.channels > 1:
            m.d.comb += control.drained.eq(idle.all())
        for k, config_of_port in enumerate(fabric.ports):
            outside = getattr(self, port_name(fabric, k))
            # Ports of equal sizes are equal modules; who asks is said where they end.
            first = fabric.ports.index(config_of_port)
            if config_of_port.inner:
                port = InnerPort(fabric, first)
                connect(m, flipped(outside.reads), port.reads)
                connect(m, flipped(outside.writes), port.writes)
                m.d.comb += outside.places.eq(port.places)
                if fabric.channels > 1:
                    m.d.comb += outside.interleave.eq(interleave_of(fabric, control.live_fabric))
            else:
                port = AxiPort(fabric, first)
                connect(m, flipped(outside), port.s_axi)
                m.d.comb += [
                    port.now.eq(control.now),
                    port.enabled.eq(enabled),
                    port.rows.eq(getattr(settings, f"rows_{k}")),
                    settings.errors[k][PortError.UNMAPPED_READ].eq(port.unmapped[0]),
                    settings.errors[k][PortError.UNMAPPED_WRITE].eq(port.unmapped[1]),
                    settings.errors[k][PortError.FAULTY_READ].eq(port.faulty[0]),
                    settings.errors[k][PortError.FAULTY_WRITE].eq(port.faulty[1]),
                    settings.errors[k][PortError.WRONG_LAST].eq(port.wrong_last),
                ]
            m.submodules[f"port_{k}"] = port
            m.d.comb += [port.credits.eq(settings.credits[k]), idle[k].eq(port.idle)]
            if fabric.channels > 1:
                m.d.comb += port.interleave.eq(interleave_of(fabric, control.live_fabric))
            for c, (merge, channel, out) in enumerate(zip(merges, channels, outs, strict=True)):
                if isinstance(port, InnerPort):
                    # The engine keeps the data, and hears what its port hears.
                    engine = {
                        name: flipped(getattr(outside, inner_member(fabric, name, c)))
                        for name in ("fetch", "returned", "acknowledged")
                    }
                    connect(m, out.fetch[k], engine["fetch"])
                    connect(m, out.returned[k], port.returned[c], engine["returned"])
                    connect(m, out.acknowledged[k], port.acknowledged[c], engine["acknowledged"])
                else:
                    connect(m, out.fetch[k], port.fetch[c])
                    connect(m, out.returned[k], port.returned[c])
                    connect(m, out.acknowledged[k], port.acknowledged[c])
                connect(m, out.read_described[k], port.read_described[c])
                connect(m, out.write_described[k], port.write_described[c])
                connect(m, port.requests[c], merge.landed[k])
                asked_by = merge.landed[k].payload.id[fabric.entry_width :]
                m.d.comb += asked_by[: fabric.port_width].eq(k)
                m.d.comb += [
                    port.departed[c].eq(out.departed[k]),
                    port.departed_tenant[c].eq(channel.command.payload.tenant),
                ]
        return m

    def _governor(self, m: Module, control: ControlPlane) -> PowerGovernor:
        """The power governor, with what it reads of the image and what software reads of it."""
        config = self.config
        m.submodules.governor = governor = PowerGovernor(self.fabric)
        connect(m, control.live, governor.live)
        connect(m, flipped(self.power_cap), governor.cap)
        m.d.comb += [
            governor.enable.eq(control.live_fabric.power_enable),
            governor.rate.eq(control.live_fabric.power_budget),
            self.power_status.eq(governor.status),
        ]
        if config.compact:
            # Channel 0 visits the buckets of every tenant, and reads its rate.
            buckets = control.of_channel("contracts", 0).buckets
            m.d.comb += [
                governor.visited.eq(buckets.tenant),
                governor.committed_rate.eq(buckets.row.committed_rate),
            ]
        else:
            rates = Array(each.committed_rate for each in control.live.tenants)
            m.d.comb += [
                governor.visited.eq(governor.turn),
                governor.committed_rate.eq(rates[governor.turn]),
            ]
        status = governor.status
        for name in ("governs", "capped", "infeasible", "closes"):
            m.d.comb += control.power_status[name].eq(status[name])
        m.d.comb += [
            control.power_in_force.power_rate.eq(status.rate),
            control.power_guaranteed.power_guaranteed.eq(status.guaranteed),
        ]
        return governor

    def _held(
        self, m: Module, governor: PowerGovernor | None, channel: Channel, number: int
    ) -> Held | None:
        """Who holds the closed tenants of a channel, whose commands the governor counts."""
        if governor is None:
            return None
        m.submodules[f"held_{number}"] = held = Held(self.config)
        command = channel.command
        left = command.valid & command.ready
        m.d.comb += [
            held.closed.eq(governor.closed),
            governor.beats[number].eq(Mux(left, command.payload.beats, 0)),
        ]
        return held

    def _in_forces(self, m: Module) -> list[InForce]:
        """What is between the live image and each channel."""
        in_forces = [InForce(self.fabric, c) for c in range(self.fabric.channels)]
        for c, in_force in enumerate(in_forces):
            m.submodules[f"in_force_{c}"] = in_force
        return in_forces

    def _coordinate(
        self,
        m: Module,
        control: ControlPlane,
        channels: Sequence[Channel],
        in_forces: Sequence[InForce],
    ) -> None:
        """The coordinator, with what it sees of each channel and what it lends there."""
        config = self.config
        settling = config.visit_round if config.compact else 0
        m.submodules.coordinator = coordinator = Coordinator(self.fabric, settling=settling)
        m.d.comb += [
            coordinator.enable.eq(control.live_fabric.coordinator_enable),
            coordinator.interval.eq(control.live_fabric.coordinator_interval),
            coordinator.generation.eq(control.live.generation),
        ]
        if config.compact:
            m.submodules.contracts = contracts = ContractCopy(config)
            heard = in_forces[0].image_reads.buckets
            connect(m, coordinator.contract, contracts.contract)
            m.d.comb += [contracts.tenant.eq(heard.tenant), contracts.row.eq(heard.row)]
        else:
            row, tenant = coordinator.contract.row, coordinator.contract.tenant
            for name in row.shape().members:
                each = [settings[name] for settings in control.live.tenants]
                m.d.comb += row[name].eq(at_index(tenant, each))
        full_rate = config.bytes_per_clock << config.rate_fraction
        for c, (channel, in_force) in enumerate(zip(channels, in_forces, strict=True)):
            m.submodules[f"usage_{c}"] = usage = ChannelUsage(self.fabric)
            connect(m, channel.usage, usage.usage)
            connect(m, coordinator.sightings[c], usage.sighting)
            connect(m, coordinator.lent, in_force.lent)
            settings = control.live_channels[c].channel
            paced = settings.pacer_enable & ~settings.overcommitted
            m.d.comb += coordinator.paced_rates[c].eq(Mux(paced, settings.pacer_rate, full_rate))
