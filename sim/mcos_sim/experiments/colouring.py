"""What page colours buy: four streams on HBM3, behind FCFS and behind MCOS."""

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_hw.link.request import Op
from mcos_hw.registers import ArbiterKind, channel_map
from mcos_policy.compiler import Compiled
from mcos_policy.image import encode
from mcos_sim.engines.model import run_scenario
from mcos_sim.experiments.behind import hbm, way
from mcos_sim.experiments.contention import Setting
from mcos_sim.experiments.memory_figures import memory_figures
from mcos_sim.memory.hbm import Field, Mapping, coloured_mapping, default_mapping
from mcos_sim.memory.hbm.memory import Hbm
from mcos_sim.memory.name import MemoryName
from mcos_sim.memory.pages import PAGE_BYTES, PageColours, placed
from mcos_sim.scenario import Channel, Scenario, one_port
from mcos_sim.traffic.essay import DECODERS, PREFILL
from mcos_sim.traffic.stream import REQUEST, STEP, Stream

__all__ = [
    "ESSAY",
    "RUNS",
    "floor",
    "measure_colouring",
]


ESSAY = {
    "conflicts_free": 0.23,
    "conflicts_coloured": 0.04,
    "utilisation_free": 0.58,
    "utilisation_coloured": 0.87,
    "watts_free": 78.0,
    "watts_coloured": 69.0,
}
"""What the essay says of its modelled system (docs/origins.md)."""

_LAYOUTS: dict[str, Callable[..., Mapping]] = {
    "4 banks": coloured_mapping,
    "8 banks": default_mapping,
}
"""By the banks that a page lies in."""

_WRITES = {"decoders": 0, "prefill": 50, "writer": 1}
"""By the workload: one of how many requests of the first stream writes.

Four streams that read; three beside a prefill that reads weights and writes the KV of its prompts,
2 % of its bytes as with the Mooncake trace and Llama 3 70B; three beside the essay's prefill, which
does nothing but write.
"""

_ARBITERS = (ArbiterKind.FCFS, ArbiterKind.MCOS)

RUNS = len(_LAYOUTS) * len(_WRITES) * len(_ARBITERS) * 2
"""Runs of :func:`measure_colouring`."""

_WINDOWS = {PREFILL: 256, **dict.fromkeys(DECODERS, 64)}
"""Requests of 512 B outstanding: each more than the whole channel needs."""

_RUN = 8
"""Writes one behind the other: a page."""

_CREDIT = 16 * 1024
"""Port credit in bytes: more than the buffer of the memory holds."""


def floor(mapping: Mapping, device: Hbm, page_bytes: int = PAGE_BYTES) -> float:
    """Row changes for each burst of a stream that reads page after page at random, alone.

    Each bank of a page is opened once: banks over bursts.
    """
    bursts = page_bytes // device.preset.burst_bytes
    offsets = np.arange(bursts) * device.preset.burst_bytes
    fields = mapping.place(offsets, device.preset.burst_bytes)
    banks = np.stack([fields[each] for each in Field if each is not Field.COLUMN])
    return len(np.unique(banks, axis=1).T) / bursts


def measure_colouring(
    compiled: Compiled,
    *,
    clocks: int,
    seed: int = 1,
    on_progress: Callable[[int], None] | None = None,
) -> list[dict[str, Any]]:
    """Run every layout, workload and arbiter with pages anywhere and with pages by colour.

    All of them have the same device, buffer, scheduler, page size and refresh, and more offered
    than the channel can pass: requests of 512 B along pages of 4 KiB that lie at random places.

    Parameters
    ----------
    compiled : Compiled
        Contract of the four tenants.
    clocks : int
        Length of each run.
    seed : int
        Seed of the places.
    on_progress : Callable or None
        Called with 1 after each run.

    Returns
    -------
    list[dict[str, Any]]
        A row a run: ``layout``, ``workload``, ``arbiter``, ``coloured``, ``floor`` (row changes
        that the layout needs), ``over_floor``, ``ceiling`` (utilisation that refresh leaves), and
        what :func:`mcos_sim.experiments.memory_figures.memory_figures` says.
    """
    rows = []
    for layout, workload, arbiter, coloured in itertools.product(
        _LAYOUTS, _WRITES, _ARBITERS, (False, True)
    ):
        device = hbm(MemoryName.HBM3)
        assert device is not None
        mapping = _LAYOUTS[layout](device.preset)
        device = dataclasses.replace(device, mapping=mapping)
        scenario = _scenario(compiled, device, workload, arbiter, coloured, clocks, seed)
        found = memory_figures(scenario, run_scenario(scenario), MemoryName.HBM3)
        least = floor(mapping, device)
        rows.append(
            {
                "layout": layout,
                "workload": workload,
                "arbiter": arbiter.name.lower(),
                "coloured": coloured,
                "floor": least,
                "over_floor": found["row_changes"] - least,
                "ceiling": device.preset.refresh_ceiling,
                **found,
            }
        )
        if on_progress is not None:
            on_progress(1)
    return rows


def _scenario(
    compiled: Compiled,
    device: Hbm,
    workload: str,
    arbiter: ArbiterKind,
    coloured: bool,
    clocks: int,
    seed: int,
) -> Scenario:
    config = compiled.config
    channel = dataclasses.replace(
        compiled.settings.channel,
        pacer_rate=config.bytes_per_clock << config.rate_fraction,
        port_credit=_CREDIT,
    )
    settings = dataclasses.replace(compiled.settings, channel=channel)
    streams = [
        _stream(name, tag, writes=0 if tag else _WRITES[workload], clocks=clocks, of=config)
        for tag, name in enumerate((PREFILL, *DECODERS))
    ]
    banks = device.used_mapping.bank_bits(device.preset.burst_bytes)
    colours = PageColours(
        bits=tuple(bit for bit in banks if 1 << bit >= PAGE_BYTES),
        memory_bytes=device.preset.bytes,
    )
    each = colours.count // len(streams)
    masks = {
        stream.tag: ((1 << each) - 1) << each * stream.tag if coloured else colours.all
        for stream in streams
    }
    return Scenario(
        name="colouring",
        arbiter=arbiter,
        config=config,
        image=encode(config, channel_map(config), settings, compiled.image.label).words,
        ports=one_port(placed(streams, colours, masks, seed=seed)),
        clocks=clocks,
        channels=(
            Channel(
                memory=device, latency=way(Setting().memory_latency, device, config), credit=_CREDIT
            ),
        ),
        seed=seed,
    )


def _stream(name: str, tag: int, *, writes: int, clocks: int, of: ChannelConfig) -> Stream:
    """Longest requests one behind the other, more than the channel can pass; they write in runs."""
    count = clocks * of.bytes_per_clock // of.l_max
    requests = np.zeros(count, REQUEST)
    if writes:
        requests["op"] = np.where(np.arange(count) // _RUN % writes, Op.READ, Op.WRITE)
    requests["beats"] = of.max_beats
    requests["address"] = np.arange(count) * of.l_max
    return Stream(
        name=name,
        tag=tag,
        window=_WINDOWS[name] if writes else _WINDOWS[DECODERS[0]],
        closed=False,
        requests=requests,
        steps=np.array([(0, count, 0, 0)], STEP),
    )
