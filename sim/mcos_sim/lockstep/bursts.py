"""What becomes of bursts in a port: their fragments, and the requests of those in a channel."""

from mcos_sim.compiling import compiled

__all__ = [
    "arrivals",
    "fragments",
]


@compiled
def fragments(taken, tenant, response, passes, last, carried, refused, entry, channel, fifo, held):
    """Check that fragments have the tenant and the answer that their burst got, and note what each
    entry holds from the next clock on; the first clock in which one has not, or -1.

    ``fifo`` is of bursts: its head, its end, and rows of tenant and answer. ``held[k]`` of clock k
    is the entry that changes, its tenant and its channel; -1 without one.
    """
    for k in range(len(taken)):
        held[k, 0] = -1
        if passes[k]:
            head = fifo[0, 0]
            if head == fifo[0, 1]:
                return k
            row = 1 + head % (len(fifo) - 1)
            if (fifo[row, 1] != 0) != (refused[k] != 0):
                return k
            if not refused[k]:
                if fifo[row, 0] != carried[k]:
                    return k
                held[k, 0] = entry[k]
                held[k, 1] = carried[k]
                held[k, 2] = channel[k]
            if last[k]:
                fifo[0, 0] += 1
        if taken[k]:
            row = 1 + fifo[0, 1] % (len(fifo) - 1)
            fifo[row, 0] = tenant[k]
            fifo[row, 1] = response[k]
            fifo[0, 1] += 1
    return -1


@compiled
def arrivals(valid, tenant, port, op, entry, changes, holds, channel):
    """Check that each request has the tenant and the channel that its entry was given; the first
    clock in which one has not, or -1.

    ``holds[port, op, entry]`` is tenant and channel; ``changes[k, port, op]`` as ``held`` of
    :func:`fragments`.
    """
    for k in range(len(valid)):
        if valid[k]:
            it = holds[port[k], op[k], entry[k]]
            if it[0] != tenant[k] or it[1] != channel:
                return k
        for p in range(changes.shape[1]):
            for d in range(changes.shape[2]):
                if changes[k, p, d, 0] >= 0:
                    holds[p, d, changes[k, p, d, 0], 0] = changes[k, p, d, 1]
                    holds[p, d, changes[k, p, d, 0], 1] = changes[k, p, d, 2]
    return -1
