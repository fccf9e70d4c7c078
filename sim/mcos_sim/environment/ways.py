"""Which requests of a stream pass each port and each channel of a fabric, in which order."""

import numpy as np

from mcos_sim.compiling import compiled
from mcos_sim.environment import layout as at

__all__ = [
    "pass_way",
    "port_of_requests",
    "way_rows",
]


@compiled
def pass_way(e, block, way):
    """The next request of a way has passed."""
    count, passed = e[way + at.WAY_COUNT], e[way + at.WAY_PASSED] + 1
    rounds = passed // count
    index = rounds * e[block + at.ROUND_REQUESTS]
    index += e[e[way + at.WAY_LIST] + passed - rounds * count]
    e[way + at.WAY_PASSED] = passed
    e[way + at.WAY_NEXT] = index if index < e[block + at.COUNT] else at.NEVER


def port_of_requests(count: int, ports: list[int]) -> np.ndarray:
    """Ports over which a stream deals its requests: in turn, and each turn begins one port later.

    So requests in the order of their addresses come to every channel from every port.
    """
    index = np.arange(count)
    return np.array(ports)[(index + index // len(ports)) % len(ports)]


def way_rows(place_of: np.ndarray, count: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Positions of the requests of each way, and a way for each, whose list is still to be placed.

    Parameters
    ----------
    place_of : numpy.ndarray
        Number of the port, or of the channel, of each request.
    count : int
        How many ports, or channels.
    """
    lists = [np.nonzero(place_of == k)[0] for k in range(count)]
    ways = np.zeros((count, at.WAY), dtype=np.int64)
    for way, found in zip(ways, lists, strict=True):
        way[at.WAY_COUNT] = len(found)
        way[at.WAY_NEXT] = found[0] if len(found) else at.NEVER
    return lists, ways
