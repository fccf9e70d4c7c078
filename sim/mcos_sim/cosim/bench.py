"""The cocotb test that carries out one scenario; see :mod:`mcos_sim.engines.cocotb`."""

import importlib
import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cocotb
import numpy as np

from mcos_hw.channel.outlet import OUTLET_DEPTH
from mcos_hw.config import ChannelConfig
from mcos_hw.registers import GRANT_KINDS, ArbiterKind, channel_map
from mcos_hw.registers.monitor import monitor_registers
from mcos_policy.image import Image, unpack
from mcos_sim.cosim.recorder import WindowRecorder
from mcos_sim.cosim.requester import Requester
from mcos_sim.cosim.run_tests import folder, parameters
from mcos_sim.cosim.testbench import Testbench
from mcos_sim.environment.drive import paused
from mcos_sim.environment.environment import pause_threshold
from mcos_sim.memory.memory import MemoryPort
from mcos_sim.scenario import FIRST_CLOCK
from mcos_sim.traffic.stream import Stream

__all__ = [
    "scenario",
]


PROGRESS_CLOCKS = 20_000
"""Clocks between two notes of progress."""


@cocotb.test()
async def scenario(dut) -> None:
    """Runs the scenario of :func:`mcos_sim.cosim.run_tests.parameters`, writes its result."""
    settings = parameters()
    config = ChannelConfig(**settings["config"])
    arrays = np.load(folder() / "streams.npz")
    requesters = [
        Requester(
            Stream(
                **row,
                requests=arrays[f"{row['tag']}.requests"],
                steps=arrays[f"{row['tag']}.steps"],
            ),
            config,
        )
        for row in settings["streams"]
    ]
    memory = MemoryPort(
        importlib.import_module(settings["memory_model"]),
        arrays["memory"],
        credit=settings["memory_credit"],
    )
    seed = settings["seed"]
    bench = Testbench(
        dut,
        config,
        requesters=requesters,
        memory=memory,
        offer_pause=_pause(settings["offer_pause"], seed),
        command_pause=_pause(settings["command_pause"], seed + 1),
    )
    await bench.reset()
    await bench.load(settings["image"])
    await bench.wait(FIRST_CLOCK)

    recorder = _recorder(bench, config, settings)
    clocks = settings["clocks"]
    progress = folder() / "progress"
    started = time.perf_counter()
    while bench.clock < clocks and not bench.done:
        await bench.run(
            min(bench.clock + PROGRESS_CLOCKS, clocks),
            on_clock=recorder.on_clock if recorder else None,
            watch=recorder.clocks if recorder else None,
        )
        progress.write_text(str(bench.clock))
    seconds = time.perf_counter() - started
    if recorder:
        recorder.close()
    registers = {
        register.name: await bench.registers.read_array(register.name)
        for register in monitor_registers(bench.config)
    }
    if bench.config.monitors:
        _require_served(bench, requesters, registers["QUEUE"])
        if await bench.registers.read("EPOCH") == registers["EPOCH"][0]:
            epoch_clocks = await bench.registers.read("EPOCH_LENGTH")
            _require_counted(bench, requesters, registers, epoch_clocks)
    _write(bench, requesters, registers, seconds)


def _pause(probability: float, seed: int) -> Iterator[bool] | None:
    if not probability:
        return None
    threshold = pause_threshold(probability)
    return (paused(seed, clock, threshold) for clock in itertools.count(FIRST_CLOCK))


def _recorder(bench: Testbench, config: ChannelConfig, settings) -> WindowRecorder | None:
    if settings["window"] is None:
        return None
    window = settings["window"]
    return WindowRecorder(
        bench,
        config,
        path=Path(window["path"]),
        first=window["first"],
        end=window["end"],
        names={row["tag"]: row["name"] for row in settings["streams"]},
        settings=unpack(channel_map(config), Image(words=tuple(settings["image"]))),
        arbiter=ArbiterKind[settings["arbiter"]],
        contract=settings["contract"],
    )


def _require_served(bench: Testbench, requesters: list[Requester], queues: list[int]) -> None:
    """Nothing may be lost: what was accepted and not granted is still queued.

    Some may have left their queues for the memory port after the run ended.
    """
    queue = bench.registers.map["QUEUE"]
    under_way = 0 if bench.done else OUTLET_DEPTH
    for requester in requesters:
        granted = len(bench.checker.granted[requester.tag])
        accepted = len(requester.offered) - len(requester.pending)
        queued = queue.unpack(queues[requester.tag])["now"]
        missing = accepted - granted - queued
        assert 0 <= missing <= under_way, (
            f"{requester.stream.name!r}: {accepted} requests must be granted or queued, "
            f"not {granted} and {queued}"
        )
        under_way -= missing


def _require_counted(
    bench: Testbench, requesters: list[Requester], registers: dict[str, list[int]], length: int
) -> None:
    """The bytes that the hardware counted in its latched epoch are those that it granted in it.

    A grant counts in the clock of its command, one later. Of an epoch that ended with the run the
    last grant was not seen; it is not compared.
    """
    end = registers["EPOCH"][0] * length
    if end >= bench.clock:
        return
    for requester in requesters:
        granted = sum(
            size
            for size, clock in zip(
                requester.sizes, bench.checker.granted[requester.tag], strict=False
            )
            if end - length <= clock + 1 < end
        )
        first = GRANT_KINDS * requester.tag
        counted = sum(registers["GRANT_BYTES"][first : first + GRANT_KINDS])
        assert counted == granted, (
            f"{requester.stream.name!r}: {granted} bytes granted in epoch "
            f"{registers['EPOCH'][0]}, and {counted} counted"
        )


def _write(bench: Testbench, requesters: list[Requester], registers, seconds: float) -> None:
    arrays: dict[str, Any] = {}
    for requester in requesters:
        columns = {
            "sizes": requester.sizes[: len(requester.offered)],
            "offered": requester.offered,
            "taken": requester.taken,
            "granted": bench.checker.granted[requester.tag],
            "classes": bench.checker.classes[requester.tag],
            "completed": requester.completed,
            "step_started": requester.step_started,
            "step_ended": requester.step_ended,
        }
        for name, column in columns.items():
            arrays[f"{requester.tag}.{name}"] = np.array(column, dtype=np.int64)
    for name, words in registers.items():
        arrays[f"registers.{name}"] = np.array(words, dtype=np.int64)
    arrays["memory"] = bench.memory.state
    np.savez(folder() / "result.npz", clocks=bench.clock, seconds=seconds, **arrays)
