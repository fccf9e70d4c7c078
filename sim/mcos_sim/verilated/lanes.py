"""Names of the ports of a design that each port and each channel has for itself."""

import dataclasses

from mcos_sim.environment import layout

__all__ = [
    "Lanes",
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

    @property
    def header(self) -> str:
        """The same for C++: a macro calls another one with each suffix and each lane's place."""
        rows = [f"#define SEVERAL_CHANNELS {int(self.channels > 1)}"]
        for name, suffixes in (("PORT", self.of_ports), ("CHANNEL", self.of_channels)):
            calls = (f"X({suffix}, {layout.LANE * k})" for k, suffix in enumerate(suffixes))
            rows.append(f"#define EACH_{name}(X) {' '.join(calls)}")
        return "\n".join(rows) + "\n"
