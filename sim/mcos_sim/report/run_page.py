"""What ``mcos run`` found as one HTML page that needs nothing else."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mcos_sim.report.amounts import bandwidth, duration, percent
from mcos_sim.report.answer import answer, arbiter_name
from mcos_sim.report.colours import tenant_colour
from mcos_sim.report.drawing import Picture
from mcos_sim.report.rendering import write_page
from mcos_sim.report.rows import flatten
from mcos_sim.report.run_pictures import histogram_picture, served_picture
from mcos_sim.report.served import Served, served

__all__ = [
    "write_run",
]


_NOTHING = "-"

_NO_SETTINGS = {"tenants", "clocks_per_second"}
"""Members that have their own place, or that no other run repeats."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Panel:
    tenant: str
    picture: Picture


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Part:
    """A part of a bar, and its percentage of the longest bar."""

    kind: str
    text: str
    across: float


def write_run(
    found: Mapping[str, Any],
    contract_text: str,
    files: Mapping[str, str],
    path: Path,
    *,
    command: str,
) -> None:
    """Write the page: which tenants kept their objective and why, then the proof, then the rest.

    The page holds its pictures and style itself, needs no script, asks for nothing over a network
    and is the same for the same run.

    Parameters
    ----------
    found : Mapping[str, Any]
        What ``mcos run`` found, as its JSON has it.
    contract_text : str
        The contract, as its author wrote it.
    files : Mapping[str, str]
        Files that the run wrote, as people should read them, by what they are.
    path : Path
        The page.
    command : str
        The command that repeats the run.

    Raises
    ------
    OSError
        If the page cannot be written.
    """
    tenants = served(found)
    clock_khz = found["clock_khz"]
    write_page(
        path,
        "run_page.html.j2",
        title=f"MCOS run: {found['contract']['name']}",
        answer=answer(found),
        context=_context(found),
        run=_run(found),
        lead=_lead(tenants, clock_khz),
        latencies=[_latency_row(each, clock_khz) for each in tenants],
        rates=[_rate_row(each) for each in tenants],
        channels=_channels(found),
        colours=[(row["name"], tenant_colour(k)) for k, row in enumerate(found["tenants"])],
        slowest=list(_slowest(tenants, clock_khz)),
        panels=list(_panels(tenants, clock_khz)),
        contract=contract_text,
        settings=list(
            flatten({key: each for key, each in found.items() if key not in _NO_SETTINGS})
        ),
        files=files,
        command=command,
        config_hash=found["config_hash"],
        seed=found["seed"],
    )


def _context(found: Mapping[str, Any]) -> str:
    """What was run, in a line."""
    clocks = found["clocks"]
    return (
        f"{found['contract']['name']}: {clocks:,} clocks "
        f"({duration(clocks, found['clock_khz'])}) under {arbiter_name(found)}"
    )


def _run(found: Mapping[str, Any]) -> str:
    """How it was run, in a sentence."""
    channels, run = found["channels"], found["channels_run"]
    one = "the one channel" if channels == 1 else f"one of {channels:,} channels"
    if run > 1:
        one = f"all {channels} channels" if run == channels else f"{run} of {channels:,} channels"
    return (
        f"Engine: {found['engine']}. The run is of {one}, of which "
        f"{percent(found['utilisation'])} were in use; traffic: {found['traffic']}."
    )


def _lead(tenants: Sequence[Served], clock_khz: int) -> Picture:
    return Picture.of(
        "served",
        "Latency of each tenant's requests with its objective and bound, and its bandwidth",
        wide=served_picture(tenants, clock_khz),
        narrow=served_picture(tenants, clock_khz, narrow=True),
    )


def _latency_row(tenant: Served, clock_khz: int) -> dict[str, str]:
    def time(clocks: float | None) -> str:
        return _NOTHING if clocks is None else duration(clocks, clock_khz)

    latency = tenant.latency
    p50, p99, most = (latency.p50, latency.p99, latency.max) if latency else (None,) * 3
    outcome = tenant.status
    if tenant.violations_own_queue:
        outcome += f", {tenant.violations_own_queue:,} by own queue"
    return {
        "tenant": tenant.name,
        "outcome": outcome,
        "SLO": time(tenant.slo),
        "by contract": tenant.verdict or _NOTHING,
        "requests": f"{tenant.requests:,}",
        "p50": time(p50),
        "p99": time(p99),
        "max": time(most),
        "p99 in own queue": time(tenant.own_queue_p99),
        "max beside own queue": time(tenant.promised_max),
        "promised": time(tenant.bound),
    }


def _rate_row(tenant: Served) -> dict[str, str]:
    return {
        "tenant": tenant.name,
        "asked": "all there is" if tenant.asks_for_all else bandwidth(tenant.asked),
        "got": bandwidth(tenant.granted),
        "guaranteed": "best effort" if tenant.best_effort else bandwidth(tenant.guaranteed),
        "burst": bandwidth(tenant.burst) if tenant.burst else _NOTHING,
        "share of bandwidth": percent(tenant.share),
        "traffic": tenant.traffic,
    }


def _channels(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Of each of several channels, what was used of it and by whom."""
    used = found["channel_utilisation"]
    if len(used) == 1:
        return []
    names = [row["name"] for row in found["tenants"]]
    shares = [row["channel_shares"] for row in found["tenants"]]
    return [
        {
            "channel": channel,
            "used": percent(part),
            "parts": [
                _Part(
                    kind=tenant_colour(place),
                    text=f"{name}: {percent(of_tenant[channel])}",
                    across=round(100 * of_tenant[channel] / max(1.0, part), 2),
                )
                for place, (name, of_tenant) in enumerate(zip(names, shares, strict=True))
            ],
            "row": {
                "channel": str(channel),
                "used": percent(part),
                **{
                    name: percent(of_tenant[channel])
                    for name, of_tenant in zip(names, shares, strict=True)
                },
            },
        }
        for channel, part in enumerate(used)
    ]


def _slowest(tenants: Sequence[Served], clock_khz: int) -> Iterator[dict[str, Any]]:
    """The slowest request of each tenant that has one, the slowest of all first."""
    slow = [(each, each.slowest) for each in tenants if each.slowest is not None]
    slow.sort(key=lambda pair: pair[1].latency, reverse=True)
    most = max((request.latency for _, request in slow), default=1) or 1
    for tenant, request in slow:
        parts = {
            "own queue": request.own_queue,
            "fabric": request.fabric,
            "memory": request.memory,
        }
        yield {
            "tenant": tenant.name,
            "request": f"{request.request:,}",
            "clocks": [
                ("offered", f"{request.offered:,}"),
                ("granted", _NOTHING if request.granted is None else f"{request.granted:,}"),
                ("answered", _NOTHING if request.completed is None else f"{request.completed:,}"),
            ],
            "latency": duration(request.latency, clock_khz),
            "parts": [
                _Part(
                    kind=kind.replace(" ", "-"),
                    text=f"{kind}: {duration(clocks, clock_khz)}",
                    across=round(100 * clocks / most, 2),
                )
                for kind, clocks in parts.items()
            ],
        }


def _panels(tenants: Sequence[Served], clock_khz: int) -> Iterator[_Panel]:
    """The histogram of each tenant that has one, on one axis of latency."""
    shown = [
        (place, each, each.histogram)
        for place, each in enumerate(tenants)
        if each.histogram is not None and any(each.histogram.counts)
    ]
    edges = [
        edge
        for _, _, histogram in shown
        for low, high, count in zip(
            histogram.edges[:-1], histogram.edges[1:], histogram.counts, strict=True
        )
        if count
        for edge in (low, high)
    ]
    objectives = [each.slo for _, each, _ in shown if each.slo]
    positive = [edge for edge in edges + objectives if edge > 0]
    limits = (min(positive, default=1) / 1.1, max(positive, default=2) * 1.1)
    for place, tenant, _ in shown:
        yield _Panel(
            tenant=tenant.name,
            picture=Picture.of(
                f"histogram-{place}",
                f"Requests of {tenant.name} by latency",
                every=histogram_picture(tenant, clock_khz, place=place, limits=limits),
            ),
        )
