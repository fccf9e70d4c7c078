"""A run on the verilated RTL that software loads and reads, epoch by epoch."""

import contextlib
from collections.abc import Callable, Generator, Iterator, Mapping

import numpy as np

from mcos_policy.client import Client, Metrics
from mcos_policy.image import Image
from mcos_sim.engines.verilated import PROGRESS_CLOCKS, channel_library
from mcos_sim.environment import layout as env
from mcos_sim.environment.environment import environment, require_sound
from mcos_sim.ported.settings import image_words, port_writes
from mcos_sim.scenario import FIRST_CLOCK, Scenario
from mcos_sim.verilated.hardware import Hardware
from mcos_sim.verilated.transport import VerilatedTransport

__all__ = [
    "Meter",
    "metered",
]


_PARTS = 4
"""Looks at the hardware in an epoch: enough to read each one before the next has ended."""


class Meter:
    """What software sees of a run; made by :func:`metered`.

    Parameters
    ----------
    scenario : Scenario
        What runs.
    hardware : Hardware
        Where; the image of the scenario is live.
    environment : numpy.ndarray
        Who asks and who serves, from the clock on that the hardware is in.
    client : Client
        The software.
    """

    def __init__(
        self, scenario: Scenario, hardware: Hardware, environment: np.ndarray, client: Client
    ) -> None:
        self.client = client
        self._scenario = scenario
        self._hardware = hardware
        self._environment = environment

    def epochs(self, on_progress: Callable[[int], None] | None = None) -> Iterator[Metrics]:
        """What each epoch counted, as soon as it has ended.

        The run goes on beyond its last clock until the epoch has ended that has this clock, so
        that all that was asked for is counted, but for what is still queued then.

        Parameters
        ----------
        on_progress : Callable or None
            Called now and then with the clocks that the run has got on by.

        Raises
        ------
        EnvironmentFault
            If the hardware does what its requesters or its memory do not allow.
        ClientError
            If an epoch is too short to be read.
        """
        report = on_progress or (lambda clocks: None)
        length = self.client.read("EPOCH_LENGTH")["epoch_clocks"]
        step = max(1, min(length // _PARTS, PROGRESS_CLOCKS))
        seen, last = 0, None
        while last is None or seen < last:
            before = self._hardware.clock
            self._advance(before + step)
            report(self._hardware.clock - before)
            epoch = self.client.epoch()
            if last is None and self._ended:
                last = epoch + 1
            if epoch > seen:
                metrics = self.client.metrics()
                seen = metrics.epoch
                yield metrics

    @property
    def _ended(self) -> bool:
        return self._hardware.clock >= self._scenario.clocks or bool(self._environment[env.DONE])

    def _advance(self, until: int) -> None:
        """Run to a clock; once the requesters are done, without them."""
        if not self._environment[env.DONE]:
            self._hardware.run(until, environment=self._environment)
            require_sound(self._environment)
        self._hardware.run(until)


@contextlib.contextmanager
def metered(
    scenario: Scenario, image: Image, *, names: Mapping[int, str]
) -> Generator[Meter, None, None]:
    """A run of a scenario, loaded by software and ready to begin.

    Parameters
    ----------
    scenario : Scenario
        What to run; its image has an epoch, and its hardware counters.
    image : Image
        The scenario's image.
    names : Mapping[int, str]
        Name of each tenant by tag.

    Raises
    ------
    ClientError
        If the hardware refuses the image.
    UserError
        If no engine runs the scenario.
    """
    scenario.require_runnable("verilated")
    channels = len(scenario.channels)
    library = channel_library(scenario.config, scenario.arbiter, scenario.axi_ports, channels)
    with Hardware(library, scenario.config) as hardware:
        transport = VerilatedTransport(hardware)
        if scenario.axi:
            for address, word in port_writes(scenario.config, scenario.axi_ports, channels):
                transport.write32(address, word)
        client = Client(transport, scenario.config, names=names)
        client.load(Image(words=image_words(scenario)) if scenario.fabric else image)
        assert hardware.clock <= FIRST_CLOCK, "software must be done when requesters begin"
        hardware.run(FIRST_CLOCK)
        transport.environment = environment(scenario)
        yield Meter(scenario, hardware, transport.environment, client)
