"""The model's state as the words of the channel's probe, to compare with the hardware's."""

import numpy as np

from mcos_hw.channel.probe import probe_layout
from mcos_hw.config import ChannelConfig
from mcos_hw.link.classes import NO_CLASS
from mcos_sim.compiling import compiled
from mcos_sim.model import choice, tags
from mcos_sim.model import layout as at
from mcos_sim.model.buckets import committed_at, peak_at
from mcos_sim.model.monitor import latency_bin

__all__ = [
    "pack",
    "probe_fields",
    "probe_places",
    "probe_words",
]


CHANNEL_FIELDS = (
    "virtual_time",
    "open",
    "granted",
    "promoted",
    "tenant",
    "beats",
    "granted_class",
    "in_flight",
    "debt",
    "load",
)
"""Fields of ``probe.channel`` in the order in which :func:`pack` takes their places."""

TENANT_FIELDS = (
    "queued",
    "present",
    "beats",
    "class_code",
    "serviceable",
    "candidate",
    "age",
    "start",
    "finish",
    "committed",
    "peak",
)
"""Fields of ``probe.tenants[i]``, likewise."""

MONITOR_FIELDS = (
    "epoch",
    "busy",
    "stalled",
    "held",
    "outside",
    "responded",
    "tenant",
    "bin",
    "late",
)
"""Fields of ``probe.monitor``, likewise; their places come last."""

_NO_CLASS = NO_CLASS


def probe_words(config: ChannelConfig) -> int:
    """Words of 64 bits that a probe takes."""
    return -(-probe_layout(config).size // 64)


def probe_fields(config: ChannelConfig) -> dict[str, tuple[str, str, int, int]]:
    """Every field by full name: its scope and name, offset and width.

    The channel's come first, then those of each tenant, then the monitor's.
    """
    layout = probe_layout(config)
    channel, tenants = layout["channel"], layout["tenants"]
    element = tenants.shape.elem_shape
    fields = {}
    for name in CHANNEL_FIELDS:
        field = channel.shape[name]
        fields[name] = ("channel", name, channel.offset + field.offset, field.width)
    for i in range(config.tenants):
        offset = tenants.offset + i * element.size
        for name in TENANT_FIELDS:
            field = element[name]
            scope = f"tenant_{i}"
            fields[f"{scope}.{name}"] = (scope, name, offset + field.offset, field.width)
    monitor = layout["monitor"]
    for name in MONITOR_FIELDS:
        field = monitor.shape[name]
        fields[f"monitor.{name}"] = ("monitor", name, monitor.offset + field.offset, field.width)
    return fields


def probe_places(config: ChannelConfig) -> np.ndarray:
    """Offset and width of every field, in the order of :func:`probe_fields`.

    Returns
    -------
    numpy.ndarray
        Shape (fields, 2), int64.
    """
    rows = [(offset, width) for _, _, offset, width in probe_fields(config).values()]
    return np.array(rows, dtype=np.int64)


@compiled
def _put(row, place, value):
    """Write a field of at most 64 bits into the words of a row."""
    offset, width = place[0], place[1]
    word, bit = offset >> 6, offset & 63
    value &= (1 << width) - 1
    row[word] |= value << bit
    if bit + width > 64:
        row[word + 1] |= value >> (64 - bit)


@compiled
def pack(s, places, row):
    """Write the probe of this clock, whose grant is known, into ``row``."""
    row[:] = 0
    granted = s[at.GRANT] != at.NOBODY
    clock = s[at.CLOCK]
    ours = s[at.KIND] == 0
    _put(row, places[0], tags.time_shown(s) if ours else 0)
    _put(row, places[1], s[at.OPEN])
    _put(row, places[2], 1 if granted else 0)
    _put(row, places[3], 1 if granted and s[at.PROMOTED] else 0)
    _put(row, places[4], s[at.GRANT] if granted else 0)
    _put(row, places[5], s[at.GRANT_BEATS] if granted else 0)
    _put(row, places[6], s[at.GRANT_CLASS] if granted else 2)
    _put(row, places[7], s[at.IN_FLIGHT])
    _put(row, places[8], s[at.DEBT])
    _put(row, places[9], s[at.LOAD])
    k = 10
    for i in range(s[at.TENANTS]):
        present = s[at.WAITING + i] > 0
        beats = choice.beats_of_head(s, i) if present else 0
        code = choice.head_class(s, i) if present else _NO_CLASS
        _put(row, places[k], s[at.COUNT + i])
        _put(row, places[k + 1], 1 if present else 0)
        _put(row, places[k + 2], beats)
        _put(row, places[k + 3], code)
        _put(row, places[k + 4], 1 if (code != _NO_CLASS if ours else present) else 0)
        is_candidate = present and choice.candidate(s, i)
        _put(row, places[k + 5], 1 if is_candidate else 0)
        _put(row, places[k + 6], s[at.ROUNDS + i] << s[at.ROUND_BITS] if ours else 0)
        _put(row, places[k + 7], s[at.START + i] if ours else 0)
        _put(row, places[k + 8], s[at.FINISH + i] if ours else 0)
        _put(row, places[k + 9], committed_at(s, i, clock))
        _put(row, places[k + 10], peak_at(s, i, clock))
        k += 11
    held = 0
    for i in range(s[at.TENANTS]):
        held |= s[at.WAITS + i] << i
    responder = s[at.MEASURED_TENANT]
    _put(row, places[k], s[at.EPOCH] - 1)
    _put(row, places[k + 1], 1 if s[at.IN_FLIGHT] != 0 or s[at.DEBT] != 0 else 0)
    _put(row, places[k + 2], s[at.STALLS])
    _put(row, places[k + 3], held)
    if s[at.STRAYED] != at.NOBODY:
        _put(row, places[k + 4], 1 << s[at.STRAYED])
    if responder != at.NOBODY:
        _put(row, places[k + 5], 1)
        _put(row, places[k + 6], responder)
        _put(row, places[k + 7], latency_bin(s[at.MEASURED_CLOCKS]))
        _put(row, places[k + 8], s[at.MEASURED_LATE])
