"""A fabric whose data also move by themselves: movement engines at one of its ports."""

from collections.abc import Iterable
from typing import Any

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import connect, flipped

from mcos_hw.bus.axi4lite import Axi4LiteInterface
from mcos_hw.config import FabricConfig, MovementConfig
from mcos_hw.fabric.fabric import Fabric, port_name
from mcos_hw.movement.movement import Movement
from mcos_hw.movement.pages import MovementPages
from mcos_hw.registers import ArbiterKind

__all__ = ["MovingFabric"]


class MovingFabric(wiring.Component):
    """A fabric with movement engines as its last requester, which is an inner port.

    Their fragments carry the movement tags of tenants, so what is moved for a tenant has a queue, a
    guarantee and a bound of its own in every channel.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes; the last port is an inner one.
    movement : MovementConfig
        Sizes of the engines.
    arbiter : ArbiterKind
        Who chooses the grants.

    Members
    -------
    <name>
        Those of :class:`mcos_hw.fabric.fabric.Fabric` but for the inner port.
    s_movement_axil : In(Axi4LiteSignature)
        Registers of the engines, as :class:`mcos_hw.movement.pages.MovementPages` has them.
    movement_irq : Out(tenants)
        Bit t: a completion waits for the client of tenant t, who wants to be interrupted.

    Raises
    ------
    ValueError
        If the last port is not an inner one.
    """

    s_movement_axil: Axi4LiteInterface
    movement_irq: Signal

    def __init__(
        self,
        fabric: FabricConfig,
        movement: MovementConfig,
        *,
        arbiter: ArbiterKind = ArbiterKind.MCOS,
    ) -> None:
        number = len(fabric.ports) - 1
        if not fabric.ports[number].inner:
            raise ValueError(f"port {number}, the last one, must be an inner one, for the engines")
        self.fabric = fabric
        self.movement = movement
        self._fabric = Fabric(fabric, arbiter=arbiter)
        self._number = number
        self._joined = port_name(fabric, number)
        self.registers = self._fabric.registers
        self._pages = pages = MovementPages(fabric, movement)
        outer = pages.signature.members
        super().__init__(
            {
                **self._of_fabric(),
                "s_movement_axil": outer["s_axil"],
                "movement_irq": outer["irq"],
            }
        )

    def _of_fabric(self) -> dict[str, Any]:
        """Members of the fabric that are members here too."""
        return {
            name: member
            for name, member in self._fabric.signature.members.items()
            if name != self._joined
        }

    def elaborate(self, platform):
        m = Module()
        m.submodules.fabric = fabric = self._fabric
        m.submodules.pages = pages = self._pages
        m.submodules.movement = movement = Movement(self.fabric, self._number, self.movement)
        connect(m, movement.inner, getattr(fabric, self._joined))
        connect(m, flipped(self.s_movement_axil), pages.s_axil)
        m.d.comb += self.movement_irq.eq(pages.irq)
        for name in movement.signature.members:
            if name != "inner":
                connect(m, _bundle(movement, [name]), _bundle(pages, [name]))
        names = self._of_fabric()
        connect(m, _bundle(fabric, names), flipped(_bundle(self, names)))
        return m


def _bundle(part: wiring.Component, names: Iterable[str]) -> "_Bundle":
    """Some members of a component."""
    names = list(names)
    members = {name: part.signature.members[name] for name in names}
    return _Bundle(members, {name: getattr(part, name) for name in names})


class _Bundle(wiring.PureInterface):
    """Members of a component, for :func:`amaranth.lib.wiring.connect`."""

    def __init__(self, members: dict[str, Any], values: dict[str, Any]) -> None:
        super().__init__(wiring.Signature(members))
        for name, value in values.items():
            setattr(self, name, value)
