"""The model's state as the words of the channel's probe, to compare with the hardware's."""

from collections import namedtuple

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


# What the hardware shows, by name. A value that it does not have, or one that is missing, does not
# compile.
_layout = probe_layout(ChannelConfig())
_Channel = namedtuple("_Channel", [name for name, _ in _layout["channel"].shape])
_Tenant = namedtuple("_Tenant", [name for name, _ in _layout["tenants"].shape.elem_shape])
_Monitor = namedtuple("_Monitor", [name for name, _ in _layout["monitor"].shape])

_NO_CLASS = NO_CLASS


def probe_words(config: ChannelConfig) -> int:
    """Words of 64 bits that a probe takes."""
    return -(-probe_layout(config).size // 64)


def probe_fields(config: ChannelConfig) -> dict[str, tuple[str, str, int, int]]:
    """Every field by full name: its scope and name, offset and width.

    The channel's come first, then those of each tenant, then the monitor's.
    """
    layout = probe_layout(config)
    channel, tenants, monitor = (layout[part] for part in ("channel", "tenants", "monitor"))
    element = tenants.shape.elem_shape
    parts = [
        ("channel", "", channel.offset, channel.shape),
        *(
            (f"tenant_{i}", f"tenant_{i}.", tenants.offset + i * element.size, element)
            for i in range(config.tenants)
        ),
        ("monitor", "monitor.", monitor.offset, monitor.shape),
    ]
    return {
        prefix + name: (scope, name, offset + field.offset, field.width)
        for scope, prefix, offset, members in parts
        for name, field in members
    }


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
def _put_all(row, places, first, values):
    """Write values into the words of a row; the place of the first one is ``places[first]``."""
    for k in range(len(values)):
        _put(row, places[first + k], values[k])


@compiled
def _of_channel(s):
    granted = s[at.GRANT] != at.NOBODY
    return _Channel(
        virtual_time=tags.time_shown(s) if s[at.KIND] == 0 else 0,
        open=s[at.OPEN],
        granted=1 if granted else 0,
        promoted=1 if granted and s[at.PROMOTED] else 0,
        tenant=s[at.GRANT] if granted else 0,
        beats=s[at.GRANT_BEATS] if granted else 0,
        granted_class=s[at.GRANT_CLASS] if granted else 2,
        in_flight=s[at.IN_FLIGHT],
        debt=s[at.DEBT],
        load=s[at.LOAD],
    )


@compiled
def _of_tenant(s, i):
    ours = s[at.KIND] == 0
    present = s[at.WAITING + i] > 0
    code = choice.head_class(s, i) if present else _NO_CLASS
    serviceable = code != _NO_CLASS if ours else present
    return _Tenant(
        queued=s[at.COUNT + i],
        present=1 if present else 0,
        beats=choice.beats_of_head(s, i) if present else 0,
        class_code=code,
        serviceable=1 if serviceable else 0,
        candidate=1 if present and choice.candidate(s, i) else 0,
        age=s[at.ROUNDS + i] << s[at.ROUND_BITS] if ours else 0,
        start=s[at.START + i] if ours else 0,
        finish=s[at.FINISH + i] if ours else 0,
        committed=committed_at(s, i, s[at.CLOCK]),
        peak=peak_at(s, i, s[at.CLOCK]),
    )


@compiled
def _of_monitor(s):
    held = 0
    for i in range(s[at.TENANTS]):
        held |= s[at.WAITS + i] << i
    tenant = s[at.MEASURED_TENANT]
    responded = tenant != at.NOBODY
    return _Monitor(
        epoch=s[at.EPOCH] - 1,
        busy=1 if s[at.IN_FLIGHT] != 0 or s[at.DEBT] != 0 else 0,
        stalled=s[at.STALLS],
        held=held,
        outside=1 << s[at.STRAYED] if s[at.STRAYED] != at.NOBODY else 0,
        responded=1 if responded else 0,
        tenant=tenant if responded else 0,
        bin=latency_bin(s[at.MEASURED_CLOCKS]) if responded else 0,
        late=s[at.MEASURED_LATE] if responded else 0,
    )


@compiled
def pack(s, places, row):
    """Write the probe of this clock, whose grant is known, into ``row``."""
    row[:] = 0
    channel = _of_channel(s)
    _put_all(row, places, 0, channel)
    k = len(channel)
    for i in range(s[at.TENANTS]):
        tenant = _of_tenant(s, i)
        _put_all(row, places, k, tenant)
        k += len(tenant)
    _put_all(row, places, k, _of_monitor(s))
