"""Worst-case bounds of a channel whose requests are all of one class.

With r the channel's rate, r_i = r w_i / W tenant i's share of it, l_max the longest request, L the
lateness and n the grants that a request may miss on its way in (docs/arbiter.md). They follow
Bennett and Zhang, "WF2Q: Worst-case Fair Weighted Fair Queueing" (INFOCOM 1996) and "Hierarchical
Packet Fair Queueing Algorithms" (SIGCOMM 1996), with one more l_max for each grant of lateness. All
of them suppose that the pacer is on.
"""

from collections.abc import Iterable
from fractions import Fraction

__all__ = [
    "blocked_index",
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
        L, in grants.
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
