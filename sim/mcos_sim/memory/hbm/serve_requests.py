"""Requests served by an HBM channel: arrays in, arrays out."""

import dataclasses

import numpy as np

from mcos_sim.compiling import compiled
from mcos_sim.memory.hbm import layout as at
from mcos_sim.memory.hbm import refresh
from mcos_sim.memory.hbm.constraint import Command
from mcos_sim.memory.hbm.controller import tick
from mcos_sim.memory.hbm.device import load_device
from mcos_sim.memory.hbm.policy import Page, Policy, Refresh
from mcos_sim.memory.hbm.preset import Preset
from mcos_sim.memory.hbm.queues import accept, has_room
from mcos_sim.memory.hbm.scheduler import RULES

__all__ = [
    "BURST",
    "Served",
    "serve",
    "started",
]


BURST = np.dtype([("arrival", "i8"), ("bank", "i4"), ("row", "i4"), ("write", "i4")])
"""One burst: the tick from which it may be taken, its bank among all of the channel, its row."""

_REFRESHES = {
    Refresh.NONE: refresh.REFRESH_NONE,
    Refresh.ALL_BANK: refresh.REFRESH_ALL_BANK,
    Refresh.PER_BANK: refresh.REFRESH_PER_BANK,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Served:
    """What became of requests, all by their position. Ticks are int64.

    Parameters
    ----------
    accepted, first, column, completed : numpy.ndarray
        Shape (requests,): tick in which each was taken into a queue, of its first command, of its
        RD or WR, and of its completion.
    classes : numpy.ndarray
        Shape (requests,): 0 row hit, 1 closed bank, 2 conflict.
    commands : dict[Command, int]
        Commands issued.
    log : numpy.ndarray
        Shape (logged, 4): tick, command, bank and request of each command, -1 for a refresh's;
        empty unless it was asked for.
    """

    accepted: np.ndarray
    first: np.ndarray
    column: np.ndarray
    completed: np.ndarray
    classes: np.ndarray
    commands: dict[Command, int]
    log: np.ndarray


def started(preset: Preset, policy: Policy) -> np.ndarray:
    """The state of a channel at tick 0, all banks closed and nothing queued.

    Raises
    ------
    ValueError
        If the device's organisation is none that the state has room for.
    """
    m = np.zeros(at.LENGTH, dtype=np.int64)
    load_device(m, preset)
    rules = RULES[policy.scheduler]
    m[at.IN_ORDER], m[at.KEEPS_HITS] = rules.in_order, rules.keeps_hits
    m[at.CLOSED_PAGE] = policy.page is Page.CLOSED
    m[at.REFRESH] = _REFRESHES[policy.refresh]
    m[at.REFRESH_BLOCKS] = policy.refresh_blocks_queues
    interval = "nREFIpb" if policy.refresh is Refresh.PER_BANK else "nREFI"
    m[at.REFRESH_INTERVAL] = 2 * preset.timing[interval]
    m[at.REFRESH_DUE] = m[at.REFRESH_INTERVAL] if m[at.REFRESH] else at.NEVER
    m[at.KEEPS] = -1
    m[at.CAPACITY] = policy.queue_entries
    # Compared with whole numbers of requests: more than, less than.
    m[at.DRAIN_FROM] = int(policy.drain_from * policy.queue_entries)
    m[at.DRAIN_TO] = max(1, -int(-policy.drain_to * policy.queue_entries // 1))
    m[at.HEAD : at.HEAD + 2 * at.BANKS] = at.NONE
    m[at.LAST_TICK] = -at.NEVER
    for queue in range(2):
        q = at.SETS + at.SET * queue
        m[[q + at.HIT_WAKE, q + at.OPEN_WAKE, q + at.CLOSE_WAKE, q + at.OPENED_WAKE]] = at.NEVER
    entries = at.ENTRIES + at.ENTRY * np.arange(at.ENTRY_PLACES)
    m[entries + at.NEXT] = np.arange(1, at.ENTRY_PLACES + 1)
    return m


@compiled
def _serve(m, arrival, bank, row, write, out, log):
    """Serve all requests, and go on to the completion of the last one."""
    count = len(arrival)
    following = 0
    m[at.LEFT] = count
    while m[at.LEFT]:
        now = m[at.TICK]
        while following < count and arrival[following] <= now and has_room(m, write[following]):
            accept(m, out, bank[following], row[following], write[following])
            following += 1
        until = tick(m, out, log)
        # One that finds its queue full is taken once something has left it.
        if following < count and has_room(m, write[following]):
            until = min(until, max(arrival[following], m[at.TICK]) + 1)
        # Nothing happens in the ticks between.
        m[at.TICK] = until - 1
    # Refreshes and precharges may still be due before the last data has come.
    last = _last_completion(m, write, out)
    while m[at.TICK] < last:
        m[at.TICK] = tick(m, out, log) - 1


@compiled
def _last_completion(m, write, out):
    """Tick in which the last request completes: a read with its data, a write with its command."""
    last = 0
    for k in range(len(write)):
        latency = 0 if write[k] else m[at.READ_LATENCY]
        last = max(last, out[at.OUT * k + at.OUT_COLUMN] + latency)
    return last


def serve(bursts: np.ndarray, preset: Preset, policy: Policy, *, keep_log: bool = False) -> Served:
    """Serve requests in the order given; one that finds its queue full holds up those behind it.

    It ends with the last completion: commands up to that tick are counted and logged, also a
    refresh's behind the last column command.

    Parameters
    ----------
    bursts : numpy.ndarray
        Shape (requests,), dtype :data:`BURST`.
    preset : Preset
        The device.
    policy : Policy
        The controller.
    keep_log : bool
        Whether every command is kept.

    Raises
    ------
    ValueError
        If a bank or a row is none of the device's, or the device has no room in the state.
    """
    columns = {name: np.ascontiguousarray(bursts[name]) for name in BURST.names or ()}
    for name, end in (("bank", preset.all_banks), ("row", preset.rows)):
        found = columns[name]
        if len(found) and not 0 <= found.min() <= found.max() < end:
            wrong = int(np.flatnonzero((found < 0) | (found >= end))[0])
            raise ValueError(
                f"{name} must be in 0..{end - 1}, not {found[wrong]} in request {wrong}"
            )
    m = started(preset, policy)
    out = np.empty(at.OUT * len(bursts), dtype=np.int64)
    log = np.zeros(0, dtype=np.int64)
    _serve(m, *columns.values(), out, log)
    if keep_log:
        # How many commands there are is known now.
        log = np.zeros(at.LOG * m[at.LOGGED], dtype=np.int64)
        m = started(preset, policy)
        _serve(m, *columns.values(), out, log)
    rows = out.reshape(-1, at.OUT)
    column = rows[:, at.OUT_COLUMN]
    latency = np.where(columns["write"] == 0, m[at.READ_LATENCY], 0)
    return Served(
        accepted=rows[:, at.OUT_ACCEPTED],
        first=rows[:, at.OUT_FIRST],
        column=column,
        completed=column + latency,
        classes=rows[:, at.OUT_CLASS],
        commands={command: int(m[at.ISSUED + command]) for command in Command},
        log=log.reshape(-1, at.LOG),
    )
