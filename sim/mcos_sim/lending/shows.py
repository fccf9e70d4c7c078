"""What the coordinator is worth to tenants that favour some channels, on the hardware."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mcos_hw.config import COORDINATOR_INTERVAL, ChannelConfig, FabricConfig
from mcos_policy.compiler import compile_contract
from mcos_policy.settings import Settings
from mcos_policy.source import parse_source
from mcos_sim.lending.fluid import hot_channels
from mcos_sim.lending.verilated import LendingRun

__all__ = [
    "demands",
    "fabric_of",
    "figures",
    "served",
    "settings_of",
]


WARM_UP = 40
"""Intervals before anything counts: in them buckets that were full at first are spent."""

HOT, OTHER = 0.1, 0.15
"""Guarantees of tenant 0 and of the three others, as parts of capacity. On two channels of eight
tenant 0 needs 0.4 of each, and the others have 0.45 there: the limit of a channel."""


def fabric_of(channels: int) -> FabricConfig:
    """Channels of four tenants, in the order of the textbook, without monitors."""
    config = ChannelConfig(
        tenants=4, stamp_width=16, slots=64, queue_depth=8, monitors=False, lateness=0
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
    intervals they are the next two. ``waking``: the same for 50 intervals, then its guarantee on
    every channel for as many, and so on.
    """
    total, hot = HOT * channels, range(channels // 4)
    every = 100 if show == "wandering" else 0
    wanted = hot_channels(intervals, channels, hot, every=every, total=total)
    if show == "waking":
        wanted[np.arange(intervals) // 50 % 2 == 1] = HOT
    return wanted


def served(run: LendingRun, wanted: np.ndarray, *, lends: bool) -> np.ndarray:
    """Parts of capacity that each tenant gets after the warm-up; the others want all they can get.

    Only what tenant 0 wants in each interval may change.
    """
    channel = run.fabric.channel
    clocks = 1 << COORDINATOR_INTERVAL
    rate = channel.bytes_per_clock << channel.rate_fraction
    run.set("enable", lends)
    run.set("interval", COORDINATOR_INTERVAL)
    before = None
    for k, row in enumerate(wanted):
        if k == WARM_UP:
            before = run.counts("granted")
        if not k or (row != wanted[k - 1]).any():
            run.set("wants", [[int(part * rate), rate, rate, rate] for part in row])
        run.run(clocks)
    counted = (len(wanted) - WARM_UP) * clocks * channel.bytes_per_clock * len(wanted[0])
    return (run.counts("granted") - before).sum(axis=0) * channel.beat_bytes / counted


def figures(channels: int = 8, intervals: int = 840) -> dict[str, dict[str, float]]:
    """What tenant 0, and the worst of the others, get of their guarantees in each show.

    The first show is run without a coordinator as well.
    """
    fabric = fabric_of(channels)
    parts = np.array([HOT, OTHER, OTHER, OTHER])
    settings = settings_of(fabric, parts.tolist())
    found = {}
    for name, show, lends in (
        ("alone", "skewed", False),
        ("skewed", "skewed", True),
        ("wandering", "wandering", True),
        ("waking", "waking", True),
    ):
        with LendingRun(fabric) as run:
            run.commit(settings, generation=1)
            got = served(run, demands(channels, intervals, show=show), lends=lends) / parts
        found[name] = {
            "of_guarantee": round(float(got[0]), 4),
            "others_of_guarantee": round(float(got[1:].min()), 4),
        }
    return found


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", type=Path, default=Path("build/bench/fabric.json"), dest="path")
    path = parser.parse_args().path
    found = figures()
    result = json.loads(path.read_text()) if path.exists() else {}
    result["coordinator"] = {
        "skewed_of_guarantee": found["skewed"]["of_guarantee"],
        "others_of_guarantee": found["skewed"]["others_of_guarantee"],
        "shows": found,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result["coordinator"], indent=2))


if __name__ == "__main__":
    _main()
