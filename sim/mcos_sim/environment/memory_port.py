"""The memory port of a channel: commands in, completions out, never more bytes than its credit."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

from mcos_hw.link.request import Op
from mcos_sim.compiling import compiled
from mcos_sim.environment import layout as at
from mcos_sim.environment.faults import Fault
from mcos_sim.environment.requesters import fault, paused

if TYPE_CHECKING:
    from mcos_sim.memory.memory import MemoryModel

__all__ = [
    "memory_port",
]


@functools.cache
def memory_port(memory: MemoryModel) -> Callable:
    """``serve_port(e, lane, clock)``, compiled around a model of the memory.

    Parameters
    ----------
    memory : MemoryModel
        The model; numba calls its functions directly and inlines them.
    """
    serve, takes, accept = memory.serve, memory.takes, memory.accept

    @compiled
    def serve_port(e, lane, clock):
        """Run the memory of a lane, then give it the command at its port if it takes one."""
        p = e[e[lane + at.MEMORY] : e[lane + at.MEMORY_END]]
        slot = serve(p, clock)
        e[lane + at.COMMAND_READY] = takes(p) and not paused(
            e[at.SEED] + 1 + lane, clock, e[at.COMMAND_PAUSE]
        )
        sizes = e[lane + at.MEMORY_SIZES]
        size = e[lane + at.PORT_BYTES]
        if e[lane + at.COMMAND_READY] and size:
            e[lane + at.MEMORY_HELD] += size
            if e[lane + at.MEMORY_HELD] > e[lane + at.MEMORY_CREDIT]:
                fault(e, Fault.PORT_OVERFULL, e[lane + at.COMMAND_TENANT], e[lane + at.MEMORY_HELD])
            write = e[lane + at.COMMAND_OP] == Op.WRITE
            accept(
                p,
                e[lane + at.PORT_SLOT],
                e[lane + at.COMMAND_TENANT],
                write,
                e[lane + at.COMMAND_ADDRESS],
                size,
                clock,
            )
            e[sizes + e[lane + at.PORT_SLOT]] = size
            e[lane + at.PORT_BYTES] = 0
        e[lane + at.COMPLETION_VALID] = slot >= 0
        if slot >= 0:
            e[lane + at.COMPLETION_SLOT] = slot
            e[lane + at.MEMORY_HELD] -= e[sizes + slot]

    return serve_port
