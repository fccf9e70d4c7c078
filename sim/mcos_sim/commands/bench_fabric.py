"""What ``mcos bench`` measures of a fabric, printed, and in a file with what others measured."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mcos_sim.console import output, print_table, progress, write_json

__all__ = ["bench_fabric"]


def bench_fabric(path: Path, *, ports: int, channels: int, scale: float) -> None:
    """Measures, prints, and sets the keys of a result file; its other keys stay.

    Each part is written as soon as it is measured.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    ports, channels : int
        Sizes of the fabric whose speed is measured; coordinator and scaling have their own.
    scale : float
        Length of the runs; 1 is 20,000 clocks each, and 16 windows of the coordinator's.
    """
    from mcos_sim.experiments.fabric_scaling import COUNTS, measure_scaling
    from mcos_sim.experiments.fabric_speed import DEPTHS, measure_fabric_speeds
    from mcos_sim.lending import shows
    from mcos_sim.machine import machine
    from mcos_sim.power.figures import measure

    clocks = max(1_000, round(20_000 * scale))
    with progress("Building and measuring a fabric", len(DEPTHS)) as advance:
        speeds = measure_fabric_speeds(
            ports=ports, channels=channels, clocks=clocks, on_step=lambda: advance(1)
        )
    _tell_speeds(speeds)
    _set(path, {**speeds, "machine": machine()})
    with progress("Building and measuring channels that lend", len(shows.SHOWS)) as advance:
        lending = shows.figures(
            windows=max(shows.LEAST, round(16 * scale)), on_step=lambda: advance(1)
        )
    shows.print_figures(lending)
    _set(path, {"coordinator": lending})
    with progress("Building and measuring channels under a power budget", None):
        governor = measure(epochs=max(12, round(100 * scale)), seed=3)
    output.print(
        f"Power budget: {governor.counted} of {governor.epochs} epochs with demand over it are "
        f"within {governor.worst_epoch_error:.2%}, guarantees are kept to "
        f"{governor.guarantee_kept:.1%}, a cap holds after {governor.broadcast_us:.0f} us at 1 MHz"
    )
    _set(path, {"governor": governor.as_mapping()})
    with progress("Building and measuring fabrics that grow", len(COUNTS)) as advance:
        scaling = measure_scaling(on_step=lambda: advance(1))
    _tell_scaling(scaling)
    _set(path, {"scaling": scaling})


def _set(path: Path, found: Mapping[str, Any]) -> None:
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    write_json(path, {**before, **found})


def _tell_scaling(scaling: Mapping[str, Any]) -> None:
    print_table(
        f"{scaling['ports']} ports: area slope {scaling['area_slope']:.2f}, time slope "
        f"{scaling['time_slope']:.2f}",
        ("channels", "gates and flip-flops", "memories", "clocks/s"),
        [
            (
                str(row["channels"]),
                f"{row['cells']:,}",
                f"{row['memories']:,}",
                f"{row['clocks_per_s']:,}",
            )
            for row in scaling["sizes"]
        ],
    )


def _tell_speeds(speeds: Mapping[str, Any]) -> None:
    print_table(
        f"Grants a clock a channel, {speeds['ports']} ports and {speeds['channels']} channels",
        ("pattern", *(f"queues of {depth}" for depth in speeds["depths"]), "at most"),
        [
            (
                name.replace("_", " "),
                *(
                    f"{each['patterns'][name]['grants_per_clock']:.3f}"
                    for each in speeds["depths"].values()
                ),
                f"{limit['limit']:.3f}",
            )
            for name, limit in next(iter(speeds["depths"].values()))["patterns"].items()
        ],
    )
    output.print(
        f"Ports can carry {speeds['port_beats_per_clock']} beats a clock, channels "
        f"{speeds['fabric_beats_per_clock']}. One ID over all channels, "
        f"{speeds['round_trip_clocks']} clocks there and back: "
        + ", ".join(
            f"{name.replace('_', ' ')} {rate:.3f} beats a clock"
            for name, rate in speeds["one_id"].items()
        )
        + ". On an empty fabric, clocks from pin to pin: "
        + ", ".join(f"{name.upper()} {clocks}" for name, clocks in speeds["latency_clocks"].items())
    )
