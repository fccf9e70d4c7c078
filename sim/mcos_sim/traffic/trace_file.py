"""Trace files become request streams of one tenant."""

from pathlib import Path

import numpy as np

from mcos_sim.errors import UserError
from mcos_sim.traffic.frame import Frame, require_few_of, span_of
from mcos_sim.traffic.lines import read_lines
from mcos_sim.traffic.memory_trace import cut_rows, is_memory_trace, parse_memory_trace
from mcos_sim.traffic.pattern import TraceFile
from mcos_sim.traffic.plan import Asking
from mcos_sim.traffic.service import service_stream
from mcos_sim.traffic.stream import STEP, Stream
from mcos_sim.traffic.transfer import region_base, region_bytes

__all__ = ["file_stream"]


def file_stream(asking: Asking, pattern: TraceFile, frame: Frame) -> tuple[Stream, list[str]]:
    """The stream of a trace file, and what is odd about it, a sentence each.

    Parameters
    ----------
    asking : Asking
        The tenant.
    pattern : TraceFile
        Its pattern.
    frame : Frame
        The run.

    Raises
    ------
    UserError
        If the file is at fault, of another kind, or too much.
    """
    path = asking.folder / pattern.file
    lines = read_lines(path)
    first, end = span_of(asking, frame)
    if is_memory_trace(lines):
        if pattern.model is not None:
            raise UserError(
                f"{path} must be a Mooncake or Azure trace beside model, not memory requests; "
                "remove model and phase"
            )
        return _of_rows(asking, pattern, lines, path, frame)
    if pattern.model is None or pattern.phase is None:
        raise UserError(
            f"{path} must be CSV with the columns time_ns, op and bytes, or have a model and a "
            "phase in the traffic file if it is a Mooncake or Azure trace; add them"
        )
    return service_stream(
        path,
        name=asking.tenant.name,
        tag=asking.tag,
        model=pattern.model,
        phase=pattern.phase,
        requests=pattern.requests,
        window=pattern.window,
        config=frame.config,
        channels=frame.channels,
        first=first,
        end=end,
        seed=frame.seed,
    )


def _of_rows(
    asking: Asking,
    pattern: TraceFile,
    lines: list[tuple[int, str]],
    path: Path,
    frame: Frame,
) -> tuple[Stream, list[str]]:
    """The stream of a memory trace: a step for each row."""
    config = frame.config
    first, end = span_of(asking, frame)
    rows = parse_memory_trace(lines, path=path)
    times = first + np.floor(rows["time_ns"] * config.clock_khz / 1e6).astype(np.int64)
    inside = int(np.searchsorted(times, end))
    if not inside:
        raise UserError(
            f"{path}: a memory trace must have a row before clock {end:,}, in which "
            f"{asking.tenant.name} stops asking, and its first one is in clock {int(times[0]):,}; "
            "raise --clocks or begin its times at 0"
        )
    remarks = []
    if inside < len(rows):
        remarks.append(
            f"{path}: warning: {len(rows) - inside:,} of {len(rows):,} rows come after the end of "
            "the run and are left out"
        )
    rows, times = rows[:inside], times[:inside]
    total = int((rows["bytes"] // config.l_max + 1).sum())
    require_few_of({asking.tenant.name: total})
    requests, counts = cut_rows(
        rows, base=region_base(asking.tag, config), room=region_bytes(config), config=config
    )
    steps = np.zeros(len(rows), STEP)
    steps["count"] = counts
    steps["first"] = np.cumsum(counts) - counts
    steps["ready"] = times
    stream = Stream(
        name=asking.tenant.name,
        tag=asking.tag,
        window=pattern.window,
        closed=False,
        requests=requests,
        steps=steps,
        until=end,
    )
    return stream, remarks
