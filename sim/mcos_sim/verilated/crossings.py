"""What the rows of several channels on hardware show, a channel at a time.

A row of a clock has the probe of each channel, then what crosses the boundary of each.
"""

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_sim.environment import layout as env
from mcos_sim.model.probe import probe_words
from mcos_sim.ported.ported_fabric import crossing_layout

__all__ = [
    "crossing_field",
    "crossing_place",
    "crossing_rows",
    "port_words",
    "probe_rows",
    "shown_field",
    "shown_words",
]


def _crossing_words(config: ChannelConfig) -> int:
    return -(-crossing_layout(config).size // 64)


def shown_words(config: ChannelConfig, channels: int) -> int:
    """Words of 64 bits of a clock."""
    return channels * (probe_words(config) + _crossing_words(config))


def probe_rows(rows: np.ndarray, config: ChannelConfig, channel: int) -> np.ndarray:
    """The probe of a channel in each clock, shape (clocks, probe words)."""
    words = probe_words(config)
    return rows[:, words * channel :][:, :words]


def crossing_rows(
    rows: np.ndarray, config: ChannelConfig, channels: int, channel: int
) -> np.ndarray:
    """What crosses the boundary of a channel in each clock, shape (clocks, its words)."""
    words = _crossing_words(config)
    return rows[:, probe_words(config) * channels + words * channel :][:, :words]


def crossing_place(config: ChannelConfig, name: str) -> tuple[int, int]:
    """Offset and width of a value, such as ``request_valid`` or ``request.tenant``."""
    part, _, member = name.partition(".")
    field = crossing_layout(config)[part]
    if not member:
        return field.offset, 1
    inner = field.shape[member]
    return field.offset + inner.offset, inner.width


def crossing_field(rows: np.ndarray, config: ChannelConfig, name: str) -> np.ndarray:
    """A value of each row of :func:`crossing_rows`, int64."""
    return shown_field(rows, *crossing_place(config, name))


def shown_field(rows: np.ndarray, offset: int, width: int) -> np.ndarray:
    """A field of at most 63 bits of every row, int64."""
    word, bit = divmod(offset, 64)
    value = rows[:, word].view(np.uint64) >> np.uint64(bit)
    if bit + width > 64:
        value = value | rows[:, word + 1].view(np.uint64) << np.uint64(64 - bit)
    return (value & np.uint64((1 << width) - 1)).astype(np.int64)


_PORT_WORDS = {
    env.REQUEST_VALID: "request_valid",
    env.REQUEST_TENANT: "request.tenant",
    env.REQUEST_ID: "request.id",
    env.REQUEST_OP: "request.op",
    env.REQUEST_ADDRESS: "request.address",
    env.REQUEST_BEATS: "request.beats",
    env.REQUEST_OFFERED: "request.offered",
    env.COMMAND_VALID: "command_valid",
    env.COMMAND_READY: "command_ready",
    env.COMMAND_SLOT: "command.slot",
    env.COMMAND_TENANT: "command.tenant",
    env.COMMAND_OP: "command.op",
    env.COMMAND_ADDRESS: "command.address",
    env.COMMAND_BEATS: "command.beats",
    env.COMPLETION_VALID: "completion_valid",
    env.COMPLETION_SLOT: "completion.slot",
    env.RESPONSE_VALID: "response_valid",
    env.RESPONSE_TENANT: "response.tenant",
    env.RESPONSE_ID: "response.id",
}
"""What crosses the boundary, by its place in a lane of an environment."""


def port_words(rows: np.ndarray, config: ChannelConfig, channels: int, channel: int) -> np.ndarray:
    """What crosses the boundary of a channel as the words of a lane.

    Returns
    -------
    numpy.ndarray
        Shape (clocks, PORTS_LENGTH), int64, see :mod:`mcos_sim.environment.layout`; a request is
        valid in the clock in which the channel takes it. A read and a write of a tenant may have
        the same id inside a fabric; here those of writes have the highest bit on top, and an
        answer to a command from before the rows has a number of its own.
    """
    crossing = crossing_rows(rows, config, channels, channel)
    found = np.zeros((len(rows), env.PORTS_LENGTH), dtype=np.int64)
    for place, name in _PORT_WORDS.items():
        found[:, place - env.PORTS] = crossing_field(crossing, config, name)
    found[:, env.REQUEST_VALID - env.PORTS] &= crossing_field(crossing, config, "request_ready")
    _tell_apart(found, config)
    return found


def _tell_apart(words: np.ndarray, config: ChannelConfig) -> None:
    """Give reads and writes ids of their own, if there are bits for it."""
    write, older = 1 << (config.id_width - 1), 1 << (config.id_width - 2)
    request_id = words[:, env.REQUEST_ID - env.PORTS]
    response_id = words[:, env.RESPONSE_ID - env.PORTS]
    if max(request_id.max(initial=0), response_id.max(initial=0)) >= older:
        return
    request_id |= write * words[:, env.REQUEST_OP - env.PORTS]
    ops: dict[int, int] = {}
    answered: list[int] = []
    count = 0
    columns = [
        words[:, place - env.PORTS].tolist()
        for place in (
            *(env.COMMAND_VALID, env.COMMAND_READY, env.COMMAND_SLOT, env.COMMAND_OP),
            *(env.COMPLETION_VALID, env.COMPLETION_SLOT, env.RESPONSE_VALID),
        )
    ]
    for k, row in enumerate(zip(*columns, strict=True)):
        sent, taken, slot, op, served, served_slot, responds = row
        if responds:
            known = answered.pop(0) if answered else -1
            if known >= 0:
                response_id[k] |= write * known
            else:
                response_id[k] = older + count
                count += 1
        if sent and taken:
            ops[slot] = op
        if served:
            answered.append(ops.pop(served_slot, -1))
