"""Records a window of a run: reads the probe every clock and hands it to the waveform writer."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_policy.settings import Settings
from mcos_sim.cosim.harness import observed_layout, stimulus_layout
from mcos_sim.cosim.testbench import Testbench
from mcos_sim.environment.environment import in_flight
from mcos_sim.waves.signals import PortEvents
from mcos_sim.waves.window import WindowWriter

__all__ = [
    "WindowRecorder",
]


class WindowRecorder:
    """Writes the waveform of clocks ``first`` to ``end`` of a running test bench.

    Parameters
    ----------
    bench : Testbench
        The bench; its probe is read only inside the window.
    config : ChannelConfig
        Sizes.
    path : pathlib.Path
        VCD file.
    first, end : int
        First clock, and the clock after the last.
    names : Mapping[int, str]
        Tenant names by tag.
    settings : Settings
        The live image.
    arbiter : ArbiterKind
        Who chooses the grants.
    contract : str
        Name of the contract; empty if there is none.
    """

    def __init__(
        self,
        bench: Testbench,
        config: ChannelConfig,
        *,
        path: Path,
        first: int,
        end: int,
        names: Mapping[int, str],
        settings: Settings,
        arbiter: ArbiterKind,
        contract: str,
    ) -> None:
        self.clocks = range(first, end)
        """Clocks to record."""
        self._bench = bench
        self._config = config
        self._path = path
        self._names = names
        self._settings = settings
        self._arbiter = arbiter
        self._contract = contract
        self._writer: WindowWriter | None = None
        self._observed = observed_layout(config)
        self._stimulus = stimulus_layout(config)

    def on_clock(self, clock: int, observed: int, driven: int) -> None:
        """Records one clock of the window."""
        if self._writer is None:
            self._writer = WindowWriter(
                self._path,
                config=self._config,
                names=self._names,
                clock_ns=Fraction(1_000_000, self._config.clock_khz),
                first_clock=clock,
                in_flight=in_flight(self._bench.environment, clock),
                images=[(0, self._settings)],
                arbiter=self._arbiter,
                contract=self._contract,
            )

        def event(layout, word, valid, payload):
            return _bits(layout, word, payload) if _bits(layout, word, valid) else None

        command = event(self._observed, observed, "command_valid", "command")
        self._writer.sample(
            clock,
            int(self._bench.dut.probe.value),
            PortEvents(
                request=event(self._stimulus, driven, "request_valid", "request"),
                offer=command,
                command=command if _bits(self._stimulus, driven, "command_ready") else None,
                completion=event(self._stimulus, driven, "completion_valid", "completion"),
                response=event(self._observed, observed, "response_valid", "response"),
            ),
        )

    def close(self) -> None:
        """Ends the files.

        Raises
        ------
        AssertionError
            If the run ended before the window began.
        """
        assert self._writer is not None, (
            f"the window must begin before the run ends in clock {self._bench.clock}, "
            f"not in clock {self.clocks.start}"
        )
        self._writer.close()


def _bits(layout, word: int, name: str) -> int:
    field = layout[name]
    return word >> field.offset & (1 << field.width) - 1
