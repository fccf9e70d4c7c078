"""Names of the ports of a design that each port and each channel has for itself."""

import dataclasses

from mcos_sim.ported.sizes import Ports

__all__ = [
    "Lanes",
    "lanes_of",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Lanes:
    """How many ports and channels a design has.

    Parameters
    ----------
    ports, channels : int
        Ports that take requests by themselves, and channels.
    """

    ports: int = 1
    channels: int = 1

    @property
    def of_ports(self) -> tuple[str, ...]:
        """What names of each port end with; nothing where there is one channel."""
        return self._suffixes(self.ports)

    @property
    def of_channels(self) -> tuple[str, ...]:
        """What names of each channel end with."""
        return self._suffixes(self.channels)

    def _suffixes(self, count: int) -> tuple[str, ...]:
        return ("",) if self.channels == 1 else tuple(f"_{k:02}" for k in range(count))


def lanes_of(ports: Ports, channels: int) -> Lanes:
    """Those of what an engine runs; all requests of one channel come in at one place."""
    return Lanes(ports=len(ports) if channels > 1 else 1, channels=channels)
