"""Worst-case bounds of a channel whose requests are all of one class.

With r the channel's rate, r_i = r w_i / W tenant i's share of it, l_max the longest request, L the
lateness and n the grants that a request may miss on its way in (docs/arbiter.md). They follow
Bennett and Zhang, "WF2Q: Worst-case Fair Weighted Fair Queueing" (INFOCOM 1996) and "Hierarchical
Packet Fair Queueing Algorithms" (SIGCOMM 1996), with one more l_max for each grant of lateness. All
of them suppose that the pacer is on.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from fractions import Fraction

__all__ = [
    "Other",
    "blocked_index",
    "conforming_wait",
    "delay_bound",
    "depth1_term",
    "fair_index",
]


def fair_index(
    *, longest: int, l_max: int, share: Fraction, lateness: int, intake: int
) -> Fraction:
    """Worst-case fair index alpha_i of a tenant, in bytes.

    ``alpha_i = l_i,max + (l_max - l_i,max) r_i / r + L l_max r_i / r + n l_i,max (1 - r_i / r)``,
    measured at the departures of the tenant.

    Parameters
    ----------
    longest : int
        Bytes of the tenant's own longest request, l_i,max.
    l_max : int
        Bytes of anybody's longest request.
    share : Fraction
        r_i / r, that is w_i / W.
    lateness : int
        L, in grants. Of a compact channel, the grants that a head may miss while it enters.
    intake : int
        n, in grants.
    """
    late = lateness * l_max * share + intake * longest * (1 - share)
    return longest + (l_max - longest) * share + late


def blocked_index(*, l_max: int, share: Fraction) -> Fraction:
    """What requests of lower classes add to a conforming tenant's fair index, in bytes.

    ``2 l_max r_i / r``: the grant that is already chosen when a request comes, and the next one,
    whose classes are a clock old (docs/fairness.md).
    """
    return 2 * l_max * share


def delay_bound(
    *,
    sigma: int,
    index: Fraction,
    share: Fraction,
    bytes_per_clock: int | Fraction,
    wait: Fraction = Fraction(0),
) -> Fraction:
    """Longest delay of a (sigma_i, r_i) constrained tenant from its queue to its grant, in clocks.

    ``sigma_i / r_i + alpha_i / r_i + 1 + T``, T being the latency of a latency-rate server
    (Stiliadis and Varma, IEEE/ACM ToN 6(5), 1998). Why not ``sigma_i / r_i + (1 + L) l_max / r`` is
    in docs/fairness.md.

    Parameters
    ----------
    sigma : int
        Bytes that the tenant may send at once beyond its rate.
    index : Fraction
        alpha_i in bytes, see :func:`fair_index`.
    share : Fraction
        r_i / r, that is w_i / W.
    bytes_per_clock : int or Fraction
        r.
    wait : Fraction
        T, in clocks: for how long a head may have to wait for the memory, whoever goes first.
    """
    return (sigma + index) / (bytes_per_clock * share) + 1 + wait


def depth1_term(*, share: Fraction, others: Iterable[int]) -> Fraction:
    """What the depth-1 rule adds to a tenant's fair index, in bytes.

    ``(r_j / r)`` times the sum of the other depth-1 tenants' l_i,max.

    Parameters
    ----------
    share : Fraction
        r_j / r of the tenant.
    others : Iterable[int]
        Bytes of the longest request of each other tenant with one request in flight.
    """
    return share * sum(others)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Other:
    """What another tenant can put in front of a conforming request, in clocks.

    Parameters
    ----------
    share : Fraction
        r_j / r.
    credit : Fraction
        What the depth-1 rule adds to its turn.
    saved : Fraction
        What it may send before its guarantee holds it back: a longest request where its bucket had
        less than that.
    load : Fraction
        Its guarantee as a part of the memory's time.
    first : bool
        Whether its conforming requests go first whatever their tags: a higher priority.
    """

    share: Fraction
    credit: Fraction
    saved: Fraction
    load: Fraction
    first: bool = False


def conforming_wait(
    *,
    fair: Fraction,
    share: Fraction,
    others: Sequence[Other],
    blocked: Fraction,
    wait: Fraction = Fraction(0),
) -> Fraction | None:
    """Longest wait D of a conforming head beside tenants that come and go in its class, in clocks.

    ``D = X r_i / r + sum_j max(X r_j / r + credit_j, saved_j + load_j (D + T)) + blocked``, X being
    the delay bound of one class. The second part of the maximum is a tenant whose tags fell behind
    while it had no tokens: it goes first, but only as far as its tokens reach. See
    docs/fairness.md.

    Parameters
    ----------
    fair : Fraction
        X in clocks, without T.
    share : Fraction
        r_i / r of the tenant.
    others : Sequence[Other]
        Every other tenant.
    blocked : Fraction
        Clocks of what may go first whatever the class.
    wait : Fraction
        T, in clocks.

    Returns
    -------
    Fraction or None
        D without T; None if the others' guarantees leave nothing.
    """
    held: set[int] = set()
    while True:
        fixed = share * fair + blocked
        load = Fraction(0)
        for key, other in enumerate(others):
            if key in held or other.first:
                fixed += other.saved + other.load * wait
                load += other.load
            else:
                fixed += other.share * fair + other.credit
        if load >= 1:
            return None
        found = fixed / (1 - load)
        grown = {
            key
            for key, other in enumerate(others)
            if other.saved + other.load * (found + wait) > other.share * fair + other.credit
        }
        if grown <= held:
            return found
        held |= grown
