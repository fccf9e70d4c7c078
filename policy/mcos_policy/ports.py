"""The tenant tables of a fabric's ports: which writes set them."""

import dataclasses
from collections.abc import Iterable, Mapping

from mcos_hw.config import FabricConfig
from mcos_hw.registers import fabric_map

__all__ = [
    "TenantRow",
    "credit_writes",
    "even_rows",
    "row_writes",
    "shared_credits",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TenantRow:
    """Bursts of a port whose ID is in ``first`` .. ``last`` are of a tenant.

    Parameters
    ----------
    port : int
        Which port.
    row : int
        Row of its table; the lowest one that holds an ID counts.
    tenant : int
        Tag.
    first, last : int
        Lowest and highest ID, both of them included.
    """

    port: int
    row: int
    tenant: int
    first: int
    last: int


def row_writes(fabric: FabricConfig, rows: Iterable[TenantRow]) -> list[tuple[int, int]]:
    """Register writes (address, word) that set rows of tenant tables.

    Raises
    ------
    ValueError
        If a port, row, tenant or ID is not there.
    """
    registers = fabric_map(fabric)
    ids, row_register = registers["PORT_IDS"], registers["PORT_ROW"]
    writes = []
    for row in rows:
        _require_below("port", row.port, len(fabric.ports))
        port = fabric.ports[row.port]
        _require_below("row", row.row, port.table_rows)
        _require_below("tenant", row.tenant, fabric.channel.tenants)
        _require_below("last", row.last, 1 << port.id_width)
        _require_below("first", row.first, row.last + 1)
        word = row_register.pack(used=1, tenant=row.tenant, row=row.row, port=row.port)
        writes += [
            (ids.offset, ids.pack(first=row.first, last=row.last)),
            (row_register.offset, word),
        ]
    return writes


def _require_below(name: str, value: int, limit: int) -> None:
    if not 0 <= value < limit:
        raise ValueError(f"{name} must be in 0..{limit - 1}, not {value!r}")


def even_rows(fabric: FabricConfig, tenants: Mapping[int, Iterable[int]]) -> list[TenantRow]:
    """Rows that divide the IDs of each port evenly over its tenants, in their order.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.
    tenants : Mapping[int, Iterable[int]]
        Tags of each port.

    Raises
    ------
    ValueError
        If a port has more tenants than rows or IDs.
    """
    rows = []
    for number, tags in tenants.items():
        _require_below("port", number, len(fabric.ports))
        port = fabric.ports[number]
        tags = list(tags)
        if len(tags) > min(port.table_rows, 1 << port.id_width):
            raise ValueError(
                f"port {number} must have at most {min(port.table_rows, 1 << port.id_width)} "
                f"tenants, not {len(tags)}"
            )
        share = (1 << port.id_width) // max(len(tags), 1)
        rows += [
            TenantRow(port=number, row=k, tenant=tag, first=share * k, last=share * (k + 1) - 1)
            for k, tag in enumerate(tags)
        ]
    return rows


def shared_credits(fabric: FabricConfig, rows: Iterable[TenantRow]) -> dict[tuple[int, int], int]:
    """Places of each (port, tenant): a tenant's queue divided over the ports whose rows name it.

    What cannot be divided goes to the ports of the lowest number. The others hold none.
    """
    where: dict[int, set[int]] = {}
    for row in rows:
        where.setdefault(row.tenant, set()).add(row.port)
    places = {}
    for tenant, ports in where.items():
        each, over = divmod(fabric.channel.queue_depth, len(ports))
        for k, port in enumerate(sorted(ports)):
            places[port, tenant] = each + (k < over)
        for port in set(range(len(fabric.ports))) - ports:
            places[port, tenant] = 0
    return places


def credit_writes(
    fabric: FabricConfig, places: Mapping[tuple[int, int], int]
) -> list[tuple[int, int]]:
    """Register writes (address, word) that set how far each port may fill each tenant's queue.

    Lower ones come first, so that no queue is promised twice in between.

    Raises
    ------
    ValueError
        If a port or tenant is not there, or a tenant's places are more than its queue.
    """
    register = fabric_map(fabric)["PORT_PLACES"]
    promised: dict[int, int] = {}
    for (port, tenant), count in places.items():
        _require_below("port", port, len(fabric.ports))
        _require_below("tenant", tenant, fabric.channel.tenants)
        promised[tenant] = promised.get(tenant, 0) + count
    for tenant, count in promised.items():
        if count > fabric.channel.queue_depth:
            raise ValueError(
                f"places of tenant {tenant} must be at most its queue, "
                f"{fabric.channel.queue_depth}, not {count}"
            )
    return [
        (register.offset, register.pack(places=count, tenant=tenant, port=port))
        for (port, tenant), count in sorted(places.items(), key=lambda item: item[1])
    ]
