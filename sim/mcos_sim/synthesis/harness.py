"""Ports on scan chains, for parts whose pins are fewer or farther apart than the design's ports."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = [
    "ScannedPorts",
]


class ScannedPorts(wiring.Component):
    """A component whose inputs come from, and whose outputs go to, registers of another clock.

    Pins would pull what they feed to the edge of the part. These registers can be anywhere, so
    the component is placed as inside of a larger design; and as their clock is another one, the
    frequency reported for ``clk`` is that of paths inside of the component alone. Its reset is one
    of the scanned inputs.

    It is there to be placed, not to be used.

    Parameters
    ----------
    component : wiring.Component
        What to wrap; its members are plain signals.
    name : str
        Name of it inside.

    Members
    -------
    clk : In(1)
        Clock of the component.
    scan_clk : In(1)
        Clock of the registers at its ports.
    scan_in : In(1)
        First input in the chain.
    scan_out : Out(1)
        Depends on all outputs.
    """

    clk: Signal
    scan_clk: Signal
    scan_in: Signal
    scan_out: Signal

    def __init__(self, component: wiring.Component, *, name: str) -> None:
        self.component = component
        self.name = name
        super().__init__({"clk": In(1), "scan_clk": In(1), "scan_in": In(1), "scan_out": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.domains.sync = sync = ClockDomain()
        m.domains.scan = scan = ClockDomain(reset_less=True)
        m.submodules[self.name] = self.component
        m.d.comb += [sync.clk.eq(self.clk), scan.clk.eq(self.scan_clk)]

        members = self.component.signature.members
        signals = {name: getattr(self.component, name) for name in members}
        inputs = Cat(signals[name] for name, member in members.items() if member.flow is In)
        outputs = Cat(signals[name] for name, member in members.items() if member.flow is Out)
        chain = Signal(len(inputs) + 1)
        seen = Signal(len(outputs))
        m.d.scan += [
            chain.eq(Cat(self.scan_in, chain)),
            seen.eq(outputs ^ (seen << 1)),
        ]
        m.d.comb += [
            Cat(inputs, sync.rst).eq(chain),
            self.scan_out.eq(seen[-1]),
        ]
        return m
