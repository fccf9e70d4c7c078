"""What a run says about its memory: rows, utilisation, energy."""

from typing import Any

from mcos_sim.memory.hbm.energy import energy_of
from mcos_sim.memory.hbm.memory import Hbm
from mcos_sim.memory.name import MemoryName
from mcos_sim.scenario import FIRST_CLOCK, RunResult, Scenario

__all__ = ["memory_figures"]


def memory_figures(scenario: Scenario, result: RunResult, name: MemoryName) -> dict[str, Any]:
    """Figures of the memory behind a run's port.

    Returns
    -------
    dict[str, Any]
        ``name``; of an HBM also, as parts of its bursts, ``closed`` (the bank was closed),
        ``conflicts`` (another row was open) and ``row_changes`` (both); ``utilisation`` (of the
        data buses' peak) and ``of_ceiling`` (of what all-bank refresh leaves); ``pj_per_byte`` and
        ``watts`` of all channels; and by tenant ``bursts``, ``row_changes`` and ``energy_uj``.
    """
    counts, device = result.memory, scenario.channel.memory
    if counts is None or not isinstance(device, Hbm):
        return {"name": name.value}
    clock_ps = scenario.config.clock_ps
    clocks = result.clocks - FIRST_CLOCK
    seconds = clocks * clock_ps * 1e-12
    bursts = max(counts.bursts, 1)
    moved = counts.bursts * counts.burst_bytes
    used = moved / (clocks * len(scenario.channels) * device.peak_bytes_per_clock(clock_ps))
    # Every channel's memory stands by for as long.
    energy = energy_of(counts, seconds=seconds * len(scenario.channels))
    closed, conflicts = (float(counts.classes[:, k].sum() / bursts) for k in (1, 2))
    return {
        "name": name.value,
        "closed": closed,
        "conflicts": conflicts,
        "row_changes": counts.row_changes,
        "utilisation": used,
        "of_ceiling": used / device.preset.refresh_ceiling,
        "pj_per_byte": energy.pj_per_byte,
        "watts": energy.total * 1e-12 / seconds,
        "tenants": [
            {
                "name": stream.name,
                "bursts": int(counts.classes[stream.tag].sum()),
                "row_changes": float(
                    counts.classes[stream.tag, 1:].sum() / max(counts.classes[stream.tag].sum(), 1)
                ),
                "energy_uj": float(energy.tenants[stream.tag] * 1e-6),
            }
            for stream in scenario.streams
        ],
    }
