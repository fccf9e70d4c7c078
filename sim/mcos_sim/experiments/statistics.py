"""What a run says about its tenants: step latency, bytes and shares."""

import numpy as np

from mcos_sim.scenario import TenantResult

__all__ = [
    "bytes_between",
    "grants_between",
    "step_latencies",
    "step_percentiles",
]


def step_latencies(tenant: TenantResult, *, first: int, until: int | None = None) -> np.ndarray:
    """Clocks from the start of each step to its last response.

    Parameters
    ----------
    tenant : TenantResult
        What the tenant saw.
    first : int
        Steps that start before this clock are left out, and so are unfinished ones.
    until : int or None
        Steps that start in this clock or later are left out.

    Returns
    -------
    numpy.ndarray
        Shape (steps,), int64.
    """
    counted = (tenant.step_started >= first) & (tenant.step_ended >= 0)
    if until is not None:
        counted &= tenant.step_started < until
    return tenant.step_ended[counted] - tenant.step_started[counted]


def step_percentiles(
    tenant: TenantResult, *, first: int, until: int | None = None
) -> dict[str, int | None]:
    """Number of steps, and the 50th and 99th percentile of their latency in clocks.

    A percentile is the least latency that at least that share of the steps stays at or under
    (nearest rank); None without steps. ``first`` and ``until`` are those of
    :func:`step_latencies`.
    """
    latencies = step_latencies(tenant, first=first, until=until)
    row: dict[str, int | None] = {"steps": len(latencies), "p50_clocks": None, "p99_clocks": None}
    if len(latencies):
        for percent in (50, 99):
            rank = np.percentile(latencies, percent, method="inverted_cdf")
            row[f"p{percent}_clocks"] = int(rank)
    return row


def bytes_between(tenant: TenantResult, first: int, end: int) -> int:
    """Bytes granted to the tenant in clocks ``first`` to ``end``, the last excluded."""
    inside = (tenant.granted >= first) & (tenant.granted < end)
    return int(tenant.sizes[: len(tenant.granted)][inside].sum())


def grants_between(tenant: TenantResult, first: int, end: int) -> int:
    """Requests granted to the tenant in clocks ``first`` to ``end``, the last excluded."""
    return int(np.count_nonzero((tenant.granted >= first) & (tenant.granted < end)))
