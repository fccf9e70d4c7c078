"""What the coordinator is worth to tenants that favour some channels, on the hardware."""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mcos_hw.config import CHANNELS, COORDINATOR_INTERVAL, ChannelConfig, FabricConfig
from mcos_policy.compiler import compile_contract
from mcos_policy.settings import Settings
from mcos_policy.source import parse_source
from mcos_sim.console import print_table, progress, write_json
from mcos_sim.lending.fluid import hot_channels
from mcos_sim.lending.verilated import LendingRun

__all__ = [
    "FIGURES",
    "LEAST",
    "SHOWS",
    "WINDOW",
    "demands",
    "fabric_of",
    "figures",
    "main",
    "print_figures",
    "served",
    "settings_of",
]


WINDOW = 50
"""Intervals for which shares are taken apart: for as many an idle tenant sleeps or is awake."""

WARM_UP = WINDOW
"""Intervals before anything counts: in them buckets that were full at first are spent."""

LEAST = 4
"""Windows of a show, and channels, at least."""

SHOWS: Mapping[str, tuple[str, bool]] = {
    "alone": ("skewed", False),
    "skewed": ("skewed", True),
    "wandering": ("wandering", True),
    "waking": ("waking", True),
}
"""By name: what tenant 0 wants, see :func:`demands`, and whether there is a coordinator."""

FIGURES: Mapping[str, str] = {
    "of_guarantee": "tenant 0",
    "conforming": "conforming",
    "worst_window": "worst window",
    "others_of_guarantee": "worst other",
    "others_conforming": "conforming",
}
"""Keys of a show's figures, see :func:`figures`, with the heads of their columns."""

HOT, OTHER = 0.1, 0.15
"""Guarantees of tenant 0 and of the three others, as parts of capacity. On two channels of eight
tenant 0 needs 0.4 of each, and the others have 0.45 there: the limit of a channel."""


def fabric_of(channels: int, *, compact: bool = False) -> FabricConfig:
    """Channels of four tenants, without monitors: in the order of the textbook, or compact ones."""
    config = ChannelConfig(
        tenants=4,
        stamp_width=16,
        slots=64,
        queue_depth=8,
        monitors=False,
        lateness=0,
        grant_interval=4 if compact else 1,
    )
    return FabricConfig.around(config, channels=channels)


def settings_of(fabric: FabricConfig, parts: Sequence[float]) -> Settings:
    """An image with these parts of capacity as guarantees, and buckets of two intervals."""
    whole = fabric.channels * fabric.channel.capacity / 1e9
    tenants = "".join(
        f"""
[[tenant]]
name = "tenant-{i}"
tag = {i}
[tenant.bandwidth]
guaranteed = "{part * whole:.6f} GB/s"
burst = "{2 * part * whole:.6f} GB/s"
burst_duration = "2.56 us"
"""
        for i, part in enumerate(parts)
    )
    text = f"[fabric]\nchannels = {fabric.channels}\n{tenants}"
    document = parse_source(text, "lending", noun="contract", begin="[fabric]")
    return compile_contract(document, fabric.channel).settings


def demands(channels: int, intervals: int, *, show: str) -> np.ndarray:
    """What tenant 0 wants in each interval of each channel, as a part of a channel.

    ``skewed``: its guarantee, of two channels of eight. ``wandering``: the same, and every 100
    intervals the two move on by one. ``waking``: the same for 50 intervals, then its guarantee on
    every channel for as many, and so on.
    """
    total, hot = HOT * channels, range(channels // 4)
    every = 2 * WINDOW if show == "wandering" else 0
    wanted = hot_channels(intervals, channels, hot, every=every, total=total)
    if show == "waking":
        wanted[np.arange(intervals) // WINDOW % 2 == 1] = HOT
    return wanted


def served(run: LendingRun, wanted: np.ndarray, *, lends: bool) -> tuple[np.ndarray, np.ndarray]:
    """Parts of capacity that each tenant gets after the warm-up; the others want all they can get.

    Only what tenant 0 wants in each interval may change.

    Returns
    -------
    tuple of array, array
        For all grants and for conforming ones, (windows of :data:`WINDOW` intervals, tenants).
    """
    channel = run.fabric.channel
    clocks = 1 << COORDINATOR_INTERVAL
    rate = channel.bytes_per_clock << channel.rate_fraction
    run.set("enable", lends)
    run.set("interval", COORDINATOR_INTERVAL)
    counted: list[list[np.ndarray]] = [[], []]
    for k, row in enumerate(wanted):
        if k >= WARM_UP and (k - WARM_UP) % WINDOW == 0:
            _look(run, counted)
        if not k or (row != wanted[k - 1]).any():
            run.set("wants", [[int(part * rate), rate, rate, rate] for part in row])
        run.run(clocks)
    _look(run, counted)
    whole = WINDOW * clocks * channel.bytes_per_clock * len(wanted[0]) / channel.beat_bytes
    total, conforming = (np.diff(np.array(each), axis=0) / whole for each in counted)
    return total, conforming


def _look(run: LendingRun, counted: list[list[np.ndarray]]) -> None:
    """The beats of each tenant so far, of all grants and of conforming ones."""
    for name, counts in zip(("granted", "conforming"), counted, strict=True):
        counts.append(run.counts(name).sum(axis=0))


def figures(
    channels: int = 8,
    windows: int = 16,
    *,
    compact: bool = False,
    on_step: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """What tenant 0, and the worst of the others, get of their guarantees in each show.

    Parameters
    ----------
    channels : int
        Channels of the fabric, 4 at least.
    windows : int
        Length of each show in windows of :data:`WINDOW` intervals, 4 at least: then what wanders
        has moved, and what sleeps has slept twice.
    compact : bool
        Channels are compact ones.
    on_step : Callable[[], None]
        Told after each show.

    Returns
    -------
    dict
        The key ``coordinator`` of ``fabric.json``: of each of :data:`SHOWS` parts of the guarantee,
        of tenant 0 in all grants (``of_guarantee``), in conforming ones (``conforming``) and in all
        grants of its worst window (``worst_window``), and of the worst other tenant in all grants
        (``others_of_guarantee``) and in conforming ones (``others_conforming``).

    Raises
    ------
    ValueError
        If there are too few channels or windows.
    """
    for name, value in (("channels", channels), ("windows", windows)):
        if value < LEAST:
            raise ValueError(f"{name} must be {LEAST} at least, not {value!r}")
    fabric = fabric_of(channels, compact=compact)
    parts = np.array([HOT, OTHER, OTHER, OTHER])
    settings = settings_of(fabric, parts.tolist())
    found: dict[str, Any] = {"channels": channels, "intervals": windows * WINDOW}
    with LendingRun(fabric) as run:
        for name, (show, lends) in SHOWS.items():
            run.restart()
            run.commit(settings, generation=1)
            wanted = demands(channels, WARM_UP + windows * WINDOW, show=show)
            total, conforming = (each / parts for each in served(run, wanted, lends=lends))
            measured = {
                "of_guarantee": total.mean(axis=0)[0],
                "conforming": conforming.mean(axis=0)[0],
                "worst_window": total.min(axis=0)[0],
                "others_of_guarantee": total.mean(axis=0)[1:].min(),
                "others_conforming": conforming.mean(axis=0)[1:].min(),
            }
            found[name] = {key: round(float(value), 4) for key, value in measured.items()}
            on_step()
    found["skewed_of_guarantee"] = found["skewed"]["of_guarantee"]
    found["others_of_guarantee"] = found["skewed"]["others_of_guarantee"]
    return found


def print_figures(found: Mapping[str, Any]) -> None:
    """Print what :func:`figures` found."""
    print_table(
        f"Parts of the guarantees, {found['channels']} channels, {found['intervals']} intervals",
        ("", *FIGURES.values()),
        [(show, *(f"{found[show][key]:.3f}" for key in FIGURES)) for show in SHOWS],
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the shows, print a table, and set the key ``coordinator`` of a file."""
    parser = argparse.ArgumentParser(prog="python -m mcos_sim.lending.shows", description=__doc__)
    parser.add_argument("--channels", type=int, default=8, choices=CHANNELS[2:])
    parser.add_argument("--windows", type=int, default=16, help=f"of {WINDOW} intervals each")
    parser.add_argument(
        "--json",
        type=Path,
        default=Path("build/bench/fabric.json"),
        help="where the key coordinator is set; other keys there stay",
    )
    options = parser.parse_args(arguments)
    if options.windows < LEAST:
        parser.error(f"--windows must be {LEAST} at least, not {options.windows}")
    with progress("Building and running channels that lend", len(SHOWS)) as advance:
        found = figures(options.channels, options.windows, on_step=lambda: advance(1))
    print_figures(found)
    before = {}
    if options.json.exists():
        before = json.loads(options.json.read_text(encoding="utf-8"))
    write_json(options.json, {**before, "coordinator": found})


if __name__ == "__main__":
    main()
