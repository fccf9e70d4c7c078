"""Refreshes: when they are due, and what they need before."""

from mcos_sim.compiling import compiled
from mcos_sim.memory.hbm import layout as at
from mcos_sim.memory.hbm.commands import closable, row_command
from mcos_sim.memory.hbm.constraint import Command
from mcos_sim.memory.hbm.device import ready, word
from mcos_sim.memory.hbm.queues import look_both, lowest, queue_place

__all__ = [
    "REFRESH_ALL_BANK",
    "REFRESH_NONE",
    "REFRESH_PER_BANK",
    "plan_refresh",
    "refresh_slot",
]


REFRESH_NONE, REFRESH_ALL_BANK, REFRESH_PER_BANK = range(3)

_PREPB = Command.PREPB.value
_PREAB = Command.PREAB.value
_REFAB = Command.REFAB.value
_REFPB = Command.REFPB.value


@compiled
def plan_refresh(m):
    """Queue the refreshes that are due in this tick."""
    if m[at.TICK] != m[at.REFRESH_DUE]:
        return
    if m[at.REFRESH] == REFRESH_ALL_BANK:
        for k in range(m[at.PSEUDO_CHANNEL_COUNT]):
            _wait_refresh(m, _REFAB, k << m[at.PSEUDO_CHANNEL_SHIFT])
        m[at.REFRESH_DUE] += m[at.REFRESH_INTERVAL]
        return
    # One pseudo channel a tick.
    k = m[at.REFRESH_TURN]
    _wait_refresh(m, _REFPB, (k << m[at.PSEUDO_CHANNEL_SHIFT]) + m[at.REFRESH_ADDRESS])
    m[at.REFRESH_TURN] = k + 1
    m[at.REFRESH_DUE] += 1
    if k + 1 == m[at.PSEUDO_CHANNEL_COUNT]:
        around = m[at.STACK_ID_COUNT] << at.STACK_ID_SHIFT
        m[at.REFRESH_ADDRESS] = (m[at.REFRESH_ADDRESS] + 1) % around
        m[at.REFRESH_TURN] = 0
        m[at.REFRESH_DUE] += m[at.REFRESH_INTERVAL] - m[at.PSEUDO_CHANNEL_COUNT]


@compiled
def _wait_refresh(m, command, bank):
    place = (m[at.REFRESH_FIRST] + m[at.REFRESHES]) % at.REFRESH_PLACES
    m[at.REFRESH_RING + place] = command * at.BANKS + bank
    m[at.REFRESHES] += 1
    _block(m)


@compiled
def _waiting_refresh(m, k):
    """Command, bank and set of banks of a refresh that waits; 0 waits longest."""
    command, bank = divmod(
        m[at.REFRESH_RING + (m[at.REFRESH_FIRST] + k) % at.REFRESH_PLACES], at.BANKS
    )
    if command == _REFAB:
        pseudo_channel = bank >> m[at.PSEUDO_CHANNEL_SHIFT]
        return command, bank, word(m, at.PSEUDO_CHANNEL_BANKS + pseudo_channel)
    return command, bank, 1 << bank


@compiled
def _block(m):
    """Banks that no queued request may use until they are refreshed."""
    m[at.BLOCKED] = 0
    for k in range(m[at.REFRESHES]):
        _, _, banks = _waiting_refresh(m, k)
        m[at.BLOCKED] |= banks


@compiled
def refresh_slot(m, log):
    """Issue what the refresh needs that waits longest; whether a command is issued."""
    now = m[at.TICK]
    command, bank, banks = _waiting_refresh(m, 0)
    if m[at.OPEN] & banks:
        closing = _PREAB if command == _REFAB else _PREPB
        if (m[at.ACTIVE] | ~closable(m)) & banks:
            return False
        if ready(m, closing, bank) > now:
            return False
        row_command(m, log, closing, bank, at.NONE)
        m[at.OPEN] &= ~banks
        while banks != 0:
            look_both(m, lowest(banks))
            banks &= banks - 1
        return True
    if not now & 1 or ready(m, command, bank) > now:
        return False
    row_command(m, log, command, bank, at.NONE)
    m[at.REFRESH_FIRST] = (m[at.REFRESH_FIRST] + 1) % at.REFRESH_PLACES
    m[at.REFRESHES] -= 1
    _block(m)
    for queue in range(2):
        q = queue_place(queue)
        for wake in (at.HIT_WAKE, at.OPEN_WAKE, at.CLOSE_WAKE):
            m[q + wake] = min(m[q + wake], now)
    return True
