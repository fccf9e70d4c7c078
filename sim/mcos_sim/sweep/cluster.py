"""Workers of a dask scheduler that is there already, here or elsewhere."""

import gc
import logging
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import CancelledError
from typing import Any

from distributed import Client, KilledWorker, as_completed

from mcos_sim.errors import UserError
from mcos_sim.sweep.interrupts import interrupts_kept
from mcos_sim.sweep.processes import Unfinished, reason

__all__ = ["Cluster"]


_ANSWER_WITHIN = "10s"
"""How long a scheduler may take to answer."""


class Cluster:
    """The workers of a scheduler, used as a context; they go on afterwards.

    Whoever reaches the scheduler runs code on its workers, and what the scheduler sends is believed
    here: it must be one that only its user reaches, by TLS as dask is configured for it, or alone
    in its network.

    Parameters
    ----------
    scheduler : str
        Its address, ``tcp://host:port`` or ``tls://host:port``.

    Raises
    ------
    UserError
        If nobody answers there.
    """

    def __init__(self, scheduler: str) -> None:
        # dask, tornado and asyncio log every connection that ends, with a traceback.
        logging.disable(logging.CRITICAL)
        self._scheduler = scheduler
        found = self._connect()
        if found is not None:
            # A client that nobody answered closes when it is collected. It would wait for ever if
            # that came while another one starts, which holds the lock that it takes.
            gc.collect()
            raise UserError(
                f"--scheduler must be the address of a running scheduler, not {scheduler!r} "
                f"({found}); `dask scheduler` starts one and prints its address"
            )

    def _connect(self) -> str | None:
        """What stands in the way of a client; None if there is one."""
        try:
            self._client = Client(self._scheduler, timeout=_ANSWER_WITHIN)
        except Exception as error:  # whatever answers there may be anything
            return str(error)
        return None

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        logging.disable(logging.NOTSET)

    def outcomes(
        self, function: Callable[..., Any], tasks: Mapping[str, Mapping[str, Any]]
    ) -> Generator[tuple[str, Any], None, None]:
        """Run tasks and give the outcome of each as it comes; see :meth:`Processes.outcomes`.

        Raises
        ------
        UserError
            If the scheduler is lost on the way.
        """
        futures = {
            self._client.submit(function, **task, key=f"mcos-{key}", pure=False): key
            for key, task in tasks.items()
        }
        with interrupts_kept() as interrupted:
            for future in as_completed(futures):
                if interrupted.is_set():
                    raise KeyboardInterrupt
                yield futures[future], self._outcome(future)
                future.release()

    def _outcome(self, future: Any) -> Any:
        try:
            error = future.exception()
            if error is None:
                return future.result()
        except (CancelledError, OSError):
            raise UserError(
                f"the scheduler {self._scheduler} must stay up until the sweep ends, and was lost; "
                "start it and its workers again, and the same command goes on from here"
            ) from None
        died = isinstance(error, KilledWorker)
        return Unfinished("every worker that ran it died" if died else reason(error))
