"""A fabric whose data also move by themselves: movement engines at one of its ports."""

from typing import Any

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import connect, flipped

from mcos_hw.config import FabricConfig, MovementConfig
from mcos_hw.fabric.fabric import Fabric, port_name
from mcos_hw.movement.movement import Movement
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
        Those of :class:`mcos_hw.fabric.fabric.Fabric` but for the inner port, and those of
        :class:`mcos_hw.movement.movement.Movement` but for ``inner``.

    Raises
    ------
    ValueError
        If the last port is not an inner one.
    """

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
        self._movement = Movement(fabric, number, movement)
        self._joined = port_name(fabric, number)
        self.registers = self._fabric.registers
        super().__init__({**self._outer(self._fabric), **self._outer(self._movement)})

    def _outer(self, part: wiring.Component) -> dict[str, Any]:
        """Members of a part that are members here too."""
        return {
            name: member
            for name, member in part.signature.members.items()
            if name not in ("inner", self._joined)
        }

    def elaborate(self, platform):
        m = Module()
        m.submodules.fabric = fabric = self._fabric
        m.submodules.movement = movement = self._movement
        connect(m, movement.inner, getattr(fabric, self._joined))
        for part in (fabric, movement):
            names = self._outer(part)
            inside = {name: getattr(part, name) for name in names}
            outside = {name: getattr(self, name) for name in names}
            connect(m, _Bundle(names, inside), flipped(_Bundle(names, outside)))
        return m


class _Bundle(wiring.PureInterface):
    """Members of a component, for :func:`amaranth.lib.wiring.connect`."""

    def __init__(self, members: dict[str, Any], values: dict[str, Any]) -> None:
        super().__init__(wiring.Signature(members))
        for name, value in values.items():
            setattr(self, name, value)
