"""The fluid reference, in integers.

A tenant of share w_i / W is compared with a server of its own that serves ``r w_i / W`` bytes a
clock, as generalised processor sharing (Parekh and Gallager, IEEE/ACM ToN 1(3), 1993) guarantees
it. Bytes are counted in units of 1/W and clocks in units of 1/(r w_i), so that nothing is rounded.
"""

from mcos_sim.compiling import compiled

__all__ = [
    "worst_lag",
    "worst_lateness",
]


@compiled
def worst_lag(clocks, tenants, sizes, entered, left, tenant, weight, total):
    """The largest lag of a tenant behind its share, over spans in which it is backlogged.

    ``W(t1, t2) w_i / W - W_i(t1, t2)`` over every span of a backlogged period that ends at a
    departure of the tenant, where W(t1, t2) are all bytes granted and W_i its own: the worst-case
    fair index of Bennett and Zhang (IEEE/ACM ToN 5(5), 1997), measured.

    Parameters
    ----------
    clocks, tenants, sizes : numpy.ndarray
        Shape (grants,): every grant of the channel in the order of clocks, with tenant and bytes.
    entered, left : numpy.ndarray
        Shapes (requests,), (grants,): clocks in which the tenant's own requests entered their
        queue, and were granted.
    tenant, weight, total : int
        Tag, w_i and W, integers.

    Returns
    -------
    tuple[int, int]
        Lag in bytes times W, and the clock of its departure.
    """
    lag, least, worst, worst_clock = 0, 0, 0, -1
    own = 0
    begun = entered[0] if len(entered) else 0
    waiting = False
    for k in range(len(clocks)):
        if own == len(left):
            break
        if not waiting and clocks[k] >= begun:
            waiting = True
            lag, least = 0, 0
        if not waiting:
            continue
        lag += sizes[k] * weight
        if tenants[k] == tenant:
            lag -= sizes[k] * total
            if lag - least > worst:
                worst = lag - least
                worst_clock = clocks[k]
            own += 1
            if own < len(entered) and entered[own] >= clocks[k]:
                # Its queue is empty: another period begins when the next request has entered.
                waiting = False
                begun = entered[own]
        if lag < least:
            least = lag
    return worst, worst_clock


@compiled
def worst_lateness(entered, left, sizes, weight, total, rate):
    """How long after its fluid finish a request of a tenant left at worst.

    The fluid server takes request k when it enters, serves in order at ``rate w_i / W``, and ends
    it at ``d_k = max(a_k, d_{k-1}) + l_k W / (rate w_i)``.

    Parameters
    ----------
    entered, left, sizes : numpy.ndarray
        Shapes (requests,), (grants,), (requests,): clocks and bytes of the tenant's requests.
    weight, total, rate : int
        w_i, W and the channel's bytes per clock, integers.

    Returns
    -------
    tuple[int, int]
        Lateness in clocks times ``rate w_i``, at least of one that is early, and its request.
    """
    unit = rate * weight
    finish = 0
    worst, worst_request = -(1 << 62), -1
    for k in range(len(left)):
        finish = max(finish, entered[k] * unit) + sizes[k] * total
        late = left[k] * unit - finish
        if late > worst:
            worst, worst_request = late, k
    return worst, worst_request
