"""The cocotb test that carries out one scenario; see :mod:`mcos_sim.engines.cocotb`."""

import importlib
import time
from pathlib import Path
from typing import Any, cast

import cocotb
import numpy as np

from mcos_hw.channel.outlet import OUTLET_DEPTH
from mcos_hw.config import ChannelConfig
from mcos_hw.registers import GRANT_KINDS, ArbiterKind, channel_map
from mcos_policy.image import Image, unpack
from mcos_sim.cosim.recorder import WindowRecorder
from mcos_sim.cosim.run_tests import folder, parameters
from mcos_sim.cosim.testbench import Testbench
from mcos_sim.environment import layout as at
from mcos_sim.environment.environment import blocks_of, granted_requests
from mcos_sim.memory.memory import MemoryModel
from mcos_sim.scenario import FIRST_CLOCK
from mcos_sim.verilated.monitors import monitor_addresses

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
    with np.load(folder() / "environment.npz") as arrays:
        environment = arrays["environment"]
    memory = cast(MemoryModel, importlib.import_module(settings["memory_model"]))
    bench = Testbench(dut, config, environment, memory)
    await bench.reset()
    for address, word in settings["writes"]:
        await bench.registers.write_word(address, word)
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
    monitors = [
        {name: await bench.registers.read_words(words) for name, words in each.items()}
        for each in monitor_addresses(config, bench.lanes.channels)
    ]
    registers = monitors[0]
    if bench.config.monitors:
        _require_served(bench, [each["QUEUE"] for each in monitors], settings["in_ports"])
        # Behind ports a command comes to memory some clocks after its grant was counted.
        if (
            not settings["in_ports"]
            and await bench.registers.read("EPOCH") == registers["EPOCH"][0]
        ):
            epoch_clocks = await bench.registers.read("EPOCH_LENGTH")
            _require_counted(bench, registers, epoch_clocks)
    arrays: dict[str, Any] = {
        f"registers.{channel}.{name}": np.array(words, dtype=np.int64)
        for channel, each in enumerate(monitors)
        for name, words in each.items()
    }
    np.savez(folder() / "result.npz", environment=environment, seconds=seconds, **arrays)


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
        names={int(tag): name for tag, name in settings["names"].items()},
        settings=unpack(channel_map(config), Image(words=tuple(settings["image"]))),
        arbiter=ArbiterKind[settings["arbiter"]],
        contract=settings["contract"],
    )


def _require_served(bench: Testbench, queues: list[list[int]], in_ports: int) -> None:
    """Nothing may be lost: what was taken and not granted is still queued.

    Some may have left their queues for the memory port after the run ended. AXI ports may hold
    ``in_ports`` more requests of each tenant on both sides of the queues.
    """
    queue = bench.registers.map["QUEUE"]
    leaving, in_ports = (0, 0) if bench.done else (OUTLET_DEPTH * len(queues), in_ports)
    for block in blocks_of(bench.environment):
        tag, taken, granted = (int(block[name]) for name in (at.TAG, at.TAKEN, at.GRANTS))
        queued = sum(queue.unpack(each[tag])["now"] for each in queues)
        missing = taken - granted - queued
        assert 0 <= missing <= leaving + in_ports, (
            f"tenant {tag}: {taken} requests must be granted or queued, not {granted} and {queued}"
        )
        leaving -= max(0, missing - in_ports)


def _require_counted(bench: Testbench, registers: dict[str, list[int]], length: int) -> None:
    """The bytes that the hardware counted in its latched epoch are those that it granted in it.

    A grant counts in the clock of its command, one later. Of an epoch that ended with the run the
    last grant was not seen; it is not compared.
    """
    end = registers["EPOCH"][0] * length
    if end >= bench.clock:
        return
    for block in blocks_of(bench.environment):
        sizes, clocks, _ = granted_requests(bench.environment, block)
        granted = int(sizes[(end - length <= clocks + 1) & (clocks + 1 < end)].sum())
        tag = int(block[at.TAG])
        first = GRANT_KINDS * tag
        counted = sum(registers["GRANT_BYTES"][first : first + GRANT_KINDS])
        assert counted == granted, (
            f"tenant {tag}: {granted} bytes granted in epoch "
            f"{registers['EPOCH'][0]}, and {counted} counted"
        )
