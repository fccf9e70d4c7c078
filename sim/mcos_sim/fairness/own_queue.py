"""How long a request waits behind its own tenant's requests; the bound promises the rest."""

import numpy as np

from mcos_sim.scenario import TenantResult

__all__ = [
    "grant_waits",
    "own_queue",
    "queue_waits",
]


def own_queue(tenant: TenantResult, bytes_per_clock: float) -> np.ndarray:
    """Clocks for which each request waits for its own tenant's requests in front of it.

    With ``d_k = max(a_k, d_{k-1}) + size_k / g``, ``a_k`` being the first offer of request k and
    ``g`` the guarantee, that is ``max(0, d_{k-1} - a_k)``: what the requests in front of it take at
    the guarantee. The rest of its latency is what the bound promises.

    Parameters
    ----------
    tenant : TenantResult
        What the tenant saw, with its requests kept.
    bytes_per_clock : float
        The tenant's guarantee on the channel, over 0; :func:`mcos_policy.quantize.per_clock`.

    Returns
    -------
    numpy.ndarray
        Shape (offered,), float64: at most the latency where the request was answered.
    """
    waits = queue_waits(tenant.offered, tenant.sizes, bytes_per_clock)
    answered = tenant.completed >= 0
    latency = np.where(answered, tenant.completed - tenant.offered, np.inf)
    return np.minimum(waits, latency)


def queue_waits(offered: np.ndarray, sizes: np.ndarray, bytes_per_clock: float) -> np.ndarray:
    """What a tenant's requests take at its guarantee that are still in front of each request.

    Parameters
    ----------
    offered, sizes : numpy.ndarray
        Shape (requests,): clock of the first offer, rising, and bytes.
    bytes_per_clock : float
        The guarantee on the channel, over 0.

    Returns
    -------
    numpy.ndarray
        Shape (requests,), float64: clocks.
    """
    offered = offered.astype(np.float64)
    waits = np.zeros_like(offered)
    if not len(offered):
        return waits
    service = sizes / bytes_per_clock
    ends = np.cumsum(service)
    begins = ends - service
    # d_{k-1} is the latest of a_j + the service of requests j to k-1.
    latest = np.maximum.accumulate(offered - begins)
    waits[1:] = np.maximum(0.0, latest[:-1] + ends[:-1] - offered[1:])
    return waits


def grant_waits(offered: np.ndarray, granted: np.ndarray) -> np.ndarray:
    """How long each request waits until the one in front of it is granted.

    That is the own queue of a tenant without a guarantee, to which nothing else is promised.

    Parameters
    ----------
    offered, granted : numpy.ndarray
        Shape (requests,): clock of the first offer, rising, and of the grant; for a request that is
        not granted, the clock after the last.

    Returns
    -------
    numpy.ndarray
        Shape (requests,), float64: clocks.
    """
    waits = np.zeros(len(offered))
    waits[1:] = np.maximum(0, granted[:-1] - offered[1:])
    return waits
