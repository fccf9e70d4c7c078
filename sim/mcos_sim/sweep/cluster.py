"""Who runs the points of a sweep: workers of dask.distributed, here or elsewhere."""

import contextlib
import logging
import tempfile
from collections.abc import Generator

import dask
from distributed import Client, LocalCluster

from mcos_sim.errors import UserError
from mcos_sim.sweep.interrupts import interrupts_ignored

__all__ = [
    "client_of",
    "local_client",
]


_ANSWER_WITHIN = "10s"
"""How long a scheduler may take to answer."""


@contextlib.contextmanager
def client_of(scheduler: str) -> Generator[Client, None, None]:
    """Workers of a scheduler that is there already; it goes on afterwards.

    Parameters
    ----------
    scheduler : str
        Its address, ``tcp://host:port``.

    Raises
    ------
    UserError
        If nobody answers there.
    """
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        client = Client(scheduler, timeout=_ANSWER_WITHIN)
    except (OSError, TimeoutError, ValueError) as error:
        raise UserError(
            f"--scheduler must be the address of a running scheduler, not {scheduler!r} "
            f"({error}); `dask scheduler` starts one and prints its address"
        ) from None
    with client:
        yield client


@contextlib.contextmanager
def local_client(workers: int) -> Generator[Client, None, None]:
    """Processes on this machine, which end with the sweep. One that dies is replaced.

    Parameters
    ----------
    workers : int
        Processes, each running one point at a time.
    """
    with (
        tempfile.TemporaryDirectory(prefix="mcos-sweep-") as scratch,
        dask.config.set({"temporary_directory": scratch}),
    ):
        with interrupts_ignored():
            cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address=None,
                silence_logs=logging.CRITICAL,
            )
        with cluster, Client(cluster) as client:
            yield client
