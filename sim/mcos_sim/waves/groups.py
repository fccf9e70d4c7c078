"""What a viewer shows of a window: signals in groups, each under the label that people read."""

from collections.abc import Sequence

from mcos_sim.waves.signals import Signal

__all__ = [
    "VISIBLE_CLOCKS",
    "groups",
]


KINDS = ("time", "arbiter", "tenants", "buckets", "port", "events")
"""Kinds of groups, in the order in which they are shown."""

VISIBLE_CLOCKS = 32
"""Clocks that a viewer shows at first."""


def groups(signals: Sequence[Signal]) -> dict[str, list[tuple[str, Signal]]]:
    """Groups by title, in order; each signal with its label.

    The arbiter, which says who is granted, then one for each tenant, the buckets of all tenants
    side by side, the port and each kind of event. Where a number has a reading for people, the
    groups have the reading; the number stays in the waveform.
    """
    found: dict[str, dict[str, list[tuple[str, Signal]]]] = {kind: {} for kind in KINDS}
    hidden = _hidden(signals)
    for signal in signals:
        if signal.path in hidden:
            continue
        scope = signal.scope[1:] or ("time",)
        if scope[0] == "tenants" and signal.name.endswith("_bytes"):
            kind, title, label = "buckets", "buckets", f"{scope[1]}.{signal.name}"
        else:
            kind, title, label = scope[0], ".".join(scope), signal.name
        found[kind].setdefault(title, []).append((label, signal))
    return {title: members for kind in KINDS for title, members in found[kind].items()}


def _hidden(signals: Sequence[Signal]) -> set[str]:
    """Paths of the numbers that have a reading beside them."""
    paths = {signal.path for signal in signals}
    return {
        path
        for path in paths
        if f"{path}_bytes" in paths
        or f"{path}_name" in paths
        or (path.endswith("_code") and path.removesuffix("_code") in paths)
    }
