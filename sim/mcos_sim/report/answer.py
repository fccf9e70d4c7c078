"""Which tenants of a run kept their objective, which not and why, in a few sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

from mcos_policy.objectives import Verdict
from mcos_sim.report.amounts import bandwidth, duration, enumerated, percent, rounded
from mcos_sim.report.rows import RUNS
from mcos_sim.report.served import ASKS_MORE, NEARLY, Outcome, Served, served

__all__ = [
    "answer",
    "arbiter_name",
]


_TOLD = 3
"""Tenants that have a sentence each; of more, the count and the one that is late most often."""

_MCOS = "mcos"


def arbiter_name(found: Mapping[str, Any]) -> str:
    """The arbiter of a run as people call it."""
    return RUNS.get(found["arbiter"].replace("-", "_"), found["arbiter"])


def answer(found: Mapping[str, Any]) -> str:
    """Say which tenants kept their objective, which not and why: the late ones first.

    Parameters
    ----------
    found : Mapping[str, Any]
        What ``mcos run`` found.
    """
    tenants = served(found)
    late, kept, unanswered, idle = (
        [each for each in tenants if each.outcome is outcome]
        for outcome in (Outcome.LATE, Outcome.KEPT, Outcome.NO_ANSWERS, Outcome.NO_REQUESTS)
    )
    late.sort(key=lambda each: each.violations / each.requests, reverse=True)
    few = len(late) + len(kept) <= _TOLD
    said = []
    if not few:
        said.append(_counted(late, kept, found))
    told = late if few else late[:1]
    said += [_late(each, found) for each in told]
    if more := late[len(told) :]:
        said.append(f"{_names(more)} {'is' if len(more) == 1 else 'are'} late too.")
    if late and found["arbiter"] != _MCOS:
        said.append(f"{arbiter_name(found)} keeps no contract.")
    if few:
        said += [_kept_by(each, found) for each in kept]
    broken = [each for each in tenants if each.breaches and each.outcome is not Outcome.LATE]
    if found["arbiter"] == _MCOS:
        said += [_broken(each, found) for each in broken[:_TOLD]]
    said += [_unanswered(each) for each in unanswered[:_TOLD]]
    if idle := [each for each in idle if each.slo is not None]:
        said.append(f"{_names(idle)} asked for nothing.")
    if all(each.slo is None for each in tenants):
        said.append(_without_objectives(tenants, found))
    return " ".join(said)


def _names(tenants: Sequence[Served]) -> str:
    if len(tenants) > 3:
        return f"{len(tenants)} tenants"
    return enumerated(each.name for each in tenants)


def _unanswered(tenant: Served) -> str:
    told = f"None of the {tenant.requests:,} requests of {tenant.name} was answered"
    return f"{told}: it is best effort." if tenant.best_effort else f"{told}."


def _late(tenant: Served, found: Mapping[str, Any]) -> str:
    """How often a tenant is late, and why."""
    clock_khz = found["clock_khz"]
    times = "once" if tenant.violations == 1 else f"{tenant.violations:,} times"
    slo = duration(tenant.slo or 0, clock_khz)
    told = f"{tenant.name} is late {times} in {tenant.requests:,} requests (SLO {slo})"
    why = _why(tenant, found)
    return f"{told}: {why}." if why else f"{told}."


def _why(tenant: Served, found: Mapping[str, Any]) -> str:
    """The reason; none where an arbiter keeps no contract, which is said once."""
    clock_khz = found["clock_khz"]
    if tenant.violations_own_queue == tenant.violations and tenant.slowest is not None:
        own = duration(tenant.slowest.own_queue, clock_khz)
        whole = duration(tenant.slowest.latency, clock_khz)
        most = f"{own} of the {whole}"
        if tenant.slowest.own_queue >= NEARLY * tenant.slowest.latency:
            most = f"all {whole}"
        return f"{most} of its slowest are in its own queue; {_asks(tenant)}"
    if tenant.verdict == Verdict.IMPOSSIBLE.value:
        reason = "an idle channel takes longer"
    elif tenant.best_effort:
        reason = "it is best effort and is promised nothing"
    elif found["arbiter"] != _MCOS:
        return ""
    elif tenant.bound is None:
        reason = "it is promised no latency"
    elif tenant.breaches:
        most = duration(tenant.promised_max or 0, clock_khz)
        reason = (
            f"{duration(tenant.bound, clock_khz)} are promised and up to {most} were taken beside "
            "its own queue, so the promise is broken"
        )
    elif tenant.promised:
        reason = (
            f"{duration(tenant.bound, clock_khz)} are promised to what keeps to the guarantee, and "
            "it went beyond"
        )
    else:
        reason = f"the contract promises only {duration(tenant.bound, clock_khz)}"
    if own := tenant.violations_own_queue:
        reason += f"; {own:,} of them are late by its own queue alone, as {_asks(tenant)}"
    return reason


def _asks(tenant: Served) -> str:
    """Why a tenant waits behind its own requests."""
    if tenant.best_effort:
        return "it is best effort and is promised nothing"
    if tenant.asks_for_all:
        return f"it asks for all there is and is promised {bandwidth(tenant.guaranteed)}"
    if tenant.asked > ASKS_MORE * tenant.guaranteed:
        return (
            f"it asks for {bandwidth(tenant.asked)} and is promised {rounded(tenant.guaranteed, 4)}"
        )
    return "it asks in bursts"


def _counted(late: Sequence[Served], kept: Sequence[Served], found: Mapping[str, Any]) -> str:
    """How many keep their objective; where all do, which is closest."""
    if late:
        keep = "keeps its" if len(kept) == 1 else "keep their"
        return f"{len(kept) or 'None'} of {len(late) + len(kept)} tenants {keep} SLO."
    closest = max(kept, key=_used)
    most, slo = (
        duration(clocks, found["clock_khz"]) for clocks in (_slowest(closest), closest.slo or 0)
    )
    return (
        f"All {len(kept)} tenants keep their SLO; the closest is {closest.name}, whose slowest of "
        f"{closest.requests:,} requests took {most} of {slo}."
    )


def _slowest(tenant: Served) -> float:
    return tenant.latency.max if tenant.latency else 0


def _used(tenant: Served) -> float:
    """Part of its objective that the slowest request took."""
    return _slowest(tenant) / tenant.slo if tenant.slo else 0


def _kept_by(tenant: Served, found: Mapping[str, Any]) -> str:
    """What a tenant in time took of its objective."""
    clock_khz = found["clock_khz"]
    told = (
        f"{tenant.name} keeps {duration(tenant.slo or 0, clock_khz)}: its slowest of "
        f"{tenant.requests:,} requests took {duration(_slowest(tenant), clock_khz)}"
    )
    if tenant.bound is None:
        return f"{told} (nothing is promised)."
    bound = duration(tenant.bound, clock_khz)
    if found["arbiter"] != _MCOS:
        return f"{told} (MCOS promises {bound})."
    promised = f"promised: {bound}" if tenant.promised else f"but only {bound} are promised"
    return f"{told} ({promised})."


def _broken(tenant: Served, found: Mapping[str, Any]) -> str:
    """A promise that was broken without harm to an objective."""
    clock_khz = found["clock_khz"]
    requests = f"{tenant.breaches:,} {'request' if tenant.breaches == 1 else 'requests'}"
    return (
        f"{requests} of {tenant.name} took longer than the "
        f"{duration(tenant.bound or 0, clock_khz)} that are promised beside its own queue, up to "
        f"{duration(tenant.promised_max or 0, clock_khz)}."
    )


def _without_objectives(tenants: Sequence[Served], found: Mapping[str, Any]) -> str:
    """What can be said where no tenant has an objective."""
    used = f"the channel is {percent(found['utilisation'])} full"
    slow = [(each, each.slowest) for each in tenants if each.slowest is not None]
    if not slow:
        return f"No tenant has an SLO; {used}."
    clock_khz = found["clock_khz"]
    tenant, slowest = max(slow, key=lambda each: each[1].latency)
    own = f"{duration(slowest.own_queue, clock_khz)} of them"
    if slowest.own_queue >= NEARLY * slowest.latency:
        own = "all of it"
    return (
        f"No tenant has an SLO; the slowest request, one of {tenant.name}, took "
        f"{duration(slowest.latency, clock_khz)}, {own} in its own queue, and {used}."
    )
