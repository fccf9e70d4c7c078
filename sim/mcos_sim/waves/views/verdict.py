"""What a waveform shows, in one sentence, and one for each latency objective that is missed."""

from collections.abc import Sequence
from pathlib import Path

from mcos_sim.report.amounts import duration, enumerated
from mcos_sim.waves.objectives import Timed
from mcos_sim.waves.reading import Waveform
from mcos_sim.waves.rules import Violation
from mcos_sim.waves.summary import TenantSummary

__all__ = [
    "late_sentences",
    "sentence",
]


def sentence(
    file: Path,
    waveform: Waveform,
    violations: Sequence[Violation],
    count: int,
    tenants: Sequence[TenantSummary],
) -> str:
    """File, clocks, arbiter, contract and verdict.

    Parameters
    ----------
    file : pathlib.Path
        The waveform's file.
    waveform : Waveform
        What it shows.
    violations, count : Sequence[Violation], int
        What is wrong, by clock, and how many there are in all.
    tenants : Sequence[TenantSummary]
        Every tenant, with its objective.

    Returns
    -------
    str
        Such as ``window.vcd, clocks 9,000 to 11,000 of MCOS under decode-prefill.toml: no rule
        is broken; decode-a answers 3 requests later than its SLO of 25 us``.
    """
    first, end = int(waveform.clocks[0]), int(waveform.clocks[-1]) + 1
    name = waveform.arbiter.name.lower().replace("_", " ")
    arbiter = name.upper() if name in ("mcos", "fcfs") else name
    under = f" under {waveform.contract}" if waveform.contract else ""
    hidden = waveform.hidden_clocks
    shown = f" ({hidden:,} between them hidden or unknown)" if hidden else ""
    verdicts = [_broken(violations, count), *_late(waveform, tenants)]
    return (
        f"{file.name}, clocks {first:,} to {end:,} of {arbiter}{under}{shown}: "
        f"{'; '.join(verdicts)}"
    )


def late_sentences(waveform: Waveform, tenants: Sequence[TenantSummary]) -> list[str]:
    """The worst request of each tenant that misses its objective, and what it waited for."""
    found = []
    for each in tenants:
        worst = each.worst
        if worst is None or each.slo_clocks is None or worst.latency_clocks <= each.slo_clocks:
            continue
        granted = "before the window" if worst.granted is None else f"in {worst.granted:,}"
        found.append(
            f"{each.name}: its worst request, id {worst.request_id}, was offered in clock "
            f"{worst.offered:,}, granted {granted}, answered in {worst.completed:,}: "
            f"{worst.latency_clocks:,} clocks against an SLO of {each.slo_clocks:,}; "
            f"{_behind_its_own(worst)}"
        )
    return found


def _behind_its_own(worst: Timed) -> str:
    """How much of a latency is the tenant's own queue."""
    own = round(worst.own_queue_clocks)
    if worst.own_queue_exact:
        rest = worst.latency_clocks - own
        return f"{own:,} of them behind its own requests, {rest:,} for the rest"
    if own >= worst.latency_clocks:
        return "all of them behind its own requests"
    if own:
        return f"at least {own:,} of them behind its own requests"
    return "its own requests in front of it came before the window"


def _broken(violations: Sequence[Violation], count: int) -> str:
    if not count:
        return "no rule is broken"
    kinds = sorted({each.rule for each in violations})
    of_rules = f"of the rule {kinds[0].text}"
    if len(kinds) > 1:
        few = [each.text for each in kinds[:3]]
        of_rules = "of the rules " + enumerated(
            [*few, f"{len(kinds) - 3} more"] if len(kinds) > 3 else few
        )
    if count == 1:
        return f"1 violation {of_rules}, in clock {violations[0].clock:,}"
    return f"{count:,} violations {of_rules}, the first in clock {violations[0].clock:,}"


def _late(waveform: Waveform, tenants: Sequence[TenantSummary]) -> list[str]:
    khz = waveform.config.clock_khz
    found = []
    for each in tenants:
        if each.slo_clocks is None:
            continue
        # As contracts and the other commands spell it.
        slo = f"its SLO of {duration(each.slo_clocks, khz).replace('µ', 'u')}"
        if each.slo_violations:
            found.append(f"{each.name} answers {_requests(each.slo_violations)} later than {slo}")
        if each.slo_open:
            found.append(f"{each.name} has {_requests(each.slo_open)} without an answer past {slo}")
    if not found and any(each.slo_clocks is not None for each in tenants):
        return ["every answer is within its SLO"]
    return found


def _requests(count: int) -> str:
    return "1 request" if count == 1 else f"{count:,} requests"
