"""Weighted max-min fair shares, the target that measured shares are compared with."""

import numpy as np
from numpy.typing import ArrayLike

__all__ = [
    "max_min_shares",
]


def _non_negative(name: str, values: ArrayLike, count: int) -> np.ndarray:
    array = np.asarray(values, np.float64)
    if array.shape != (count,):
        raise ValueError(f"{name} must have shape ({count},), not {array.shape!r}")
    if not np.all(array >= 0):
        raise ValueError(f"{name} must be 0 or more, not {array.tolist()!r}")
    return array


def max_min_shares(
    capacity: float, demands: ArrayLike, weights: ArrayLike, peaks: ArrayLike
) -> np.ndarray:
    """Rate of each tenant under weighted max-min fairness, by water filling.

    No tenant gets more than it asks for or than its peak rate; what is left is divided among the
    others in proportion to their weights. A tenant below its own limit has the largest rate per
    weight of all: it can gain only from one that has less (Bertsekas and Gallager, Data Networks,
    2nd edition, section 6.5.2, for one link, with weights).

    Parameters
    ----------
    capacity : float
        Rate to divide; any unit, the same for all rates.
    demands : array_like
        Shape (tenants,), rate each tenant asks for; infinity for a backlogged one.
    weights : array_like
        Shape (tenants,), over 0 and finite.
    peaks : array_like
        Shape (tenants,), rate no tenant may exceed; infinity for no limit.

    Returns
    -------
    numpy.ndarray
        Shape (tenants,), float64; the sum is the smaller of the capacity and the sum of limits.

    Raises
    ------
    ValueError
        If shapes differ, a rate is negative or NaN, or a weight is not over 0 and finite.
    """
    demand = np.asarray(demands, np.float64)
    if demand.ndim != 1:
        raise ValueError(f"demands must have one dimension, not {demand.ndim!r}")
    limits = np.minimum(
        _non_negative("demands", demand, len(demand)), _non_negative("peaks", peaks, len(demand))
    )
    weight = _non_negative("weights", weights, len(demand))
    if not np.all((weight > 0) & np.isfinite(weight)):
        raise ValueError(f"weights must be over 0 and finite, not {weight.tolist()!r}")
    if not 0 <= capacity < np.inf:
        raise ValueError(f"capacity must be 0 or more and finite, not {capacity!r}")

    shares = np.zeros(len(limits))
    left = float(capacity)
    # Tenants are satisfied in the order in which the rising level per weight reaches their limit.
    order = np.argsort(limits / weight, kind="stable")
    for position, tenant in enumerate(order):
        rest = order[position:]
        if limits[tenant] * weight[rest].sum() > left * weight[tenant]:
            shares[rest] = left * weight[rest] / weight[rest].sum()
            break
        shares[tenant] = limits[tenant]
        left -= limits[tenant]
    return shares
