"""A board in co-simulation: all of it but its pins and its clock, behind a line of bytes."""

import contextlib
import dataclasses
import socket
import struct
import tempfile
import threading
from collections.abc import Generator
from pathlib import Path

from mcos_hw.board.system import BoardConfig, BoardSystem
from mcos_sim.building.index import looked_up
from mcos_sim.cosim.build import Built, build, recipe
from mcos_sim.cosim.run_tests import SimulationFailed, run

__all__ = [
    "SimulatedLine",
    "build_board",
    "simulated_board",
]


_NAME = "mcos_board"

_SILENT_BYTES = 1_000
"""Byte times of silence after which a read ends; a request that was cut is answered before."""

_POLL_SECONDS = 0.2

_NUMBER = struct.Struct("<I")


@dataclasses.dataclass
class SimulatedLine:
    """The line to a board in co-simulation; see :class:`mcos_policy.client.framed.Line`.

    Time goes on only while a read waits for bytes, and in :meth:`wait`.

    Parameters
    ----------
    link : socket.socket
        The bench behind it.
    name : str
        What people call it.
    """

    link: socket.socket
    name: str = "the simulated board"
    lights: int = 0
    """The lights after the last :meth:`wait`."""

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._tell(b"W", len(data), data)

    def read(self, count: int) -> bytes:
        """The next bytes that come; fewer than ``count`` if the board fell silent."""
        self._tell(b"R", count)
        return self._heard(self._number())

    def drop(self) -> None:
        """Forget bytes that came and were not read."""
        self._tell(b"D", 0)

    def wait(self, clocks: int) -> None:
        """Let clocks pass."""
        self._tell(b"T", clocks)
        self.lights = self._number()

    def differed(self) -> int:
        """Clocks on which a pin of a netlist was not what its Verilog says.

        Only a simulator of :func:`mcos_sim.board.netlist.build_netlist` knows.
        """
        self._tell(b"P", 0)
        return self._number()

    def _tell(self, what: bytes, amount: int, data: bytes = b"") -> None:
        try:
            self.link.sendall(struct.pack("<cI", what, amount) + data)
        except OSError:
            raise SimulationFailed("the simulated board must run on, and has ended") from None

    def _number(self) -> int:
        return _NUMBER.unpack(self._heard(_NUMBER.size))[0]

    def _heard(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            some = self.link.recv(count - len(found))
            if not some:
                raise SimulationFailed("the simulated board must run on, and has ended")
            found += some
        return found


def build_board(config: BoardConfig) -> Built:
    """Builds the simulator of a board, or finds it.

    Raises
    ------
    BuildFailed
        If Verilator warns or fails, or the C++ compiler fails.
    """
    folder = looked_up(
        _NAME,
        f"{recipe()} {config}",
        config.fabric.channel,
        config.arbiters[0],
        lambda: build(BoardSystem(config), name=_NAME).directory,
    )
    return Built(name=_NAME, directory=folder)


@contextlib.contextmanager
def simulated_board(
    config: BoardConfig, directory: Path, *, built: Built | None = None
) -> Generator[SimulatedLine, None, None]:
    """A board from reset on, while a block runs.

    Parameters
    ----------
    config : BoardConfig
        Its sizes; the fewer clocks a bit takes, the sooner everything is done.
    directory : pathlib.Path
        Folder of the simulator's log.
    built : Built or None
        What :func:`build_board` gives for it; None asks for it.

    Raises
    ------
    SimulationFailed
        If the simulator does not start, or ends before the block does.
    """
    simulator_of = built or build_board(config)
    ended: list[Exception] = []
    stop = threading.Event()
    with tempfile.TemporaryDirectory(prefix="mcos-") as folder:
        place = str(Path(folder) / "line")
        settings = {
            "bit_clocks": config.bit_clocks,
            "silent_clocks": 10 * config.bit_clocks * _SILENT_BYTES,
            "socket": place,
        }

        def simulate() -> None:
            try:
                run(
                    simulator_of,
                    test_module="mcos_sim.cosim.board_bench",
                    directory=directory,
                    seed=1,
                    parameters=settings,
                    stop=stop,
                )
            except Exception as error:
                ended.append(error)

        with socket.socket(socket.AF_UNIX) as server:
            server.bind(place)
            server.listen(1)
            server.settimeout(_POLL_SECONDS)
            simulator = threading.Thread(target=simulate)
            simulator.start()
            try:
                link = None
                while link is None and simulator.is_alive():
                    with contextlib.suppress(TimeoutError):
                        link, _ = server.accept()
                if link is not None:
                    with link:
                        link.settimeout(None)
                        yield SimulatedLine(link)
            except BaseException:
                stop.set()
                raise
            finally:
                simulator.join()
    if ended:
        raise ended[0]
