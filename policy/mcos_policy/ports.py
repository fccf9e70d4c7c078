"""The tenant tables of a fabric's ports: which sections of an image, or which writes, set them."""

import dataclasses
from collections.abc import Iterable, Mapping

from mcos_hw.config import FabricConfig
from mcos_hw.registers import fabric_map
from mcos_hw.registers.image import SectionKind

__all__ = [
    "TenantRow",
    "credit_writes",
    "even_rows",
    "port_sections",
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


def port_sections(
    fabric: FabricConfig,
    rows: Iterable[TenantRow],
    places: Mapping[tuple[int, int], int] | None = None,
) -> tuple[tuple[int, ...], ...]:
    """Words of each port's section of an image, with these rows and no others.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.
    rows : Iterable[TenantRow]
        Rows of all ports.
    places : Mapping[tuple[int, int], int] or None
        Places of each (port, tenant), none where it is not named; :func:`shared_credits` of the
        rows if nothing is given.

    Raises
    ------
    ValueError
        If a port, row, tenant or ID is not there, or a tenant's places are more than its queue.
    """
    rows = list(rows)
    places = shared_credits(fabric, rows) if places is None else places
    _require_credits(fabric, places)
    registers = fabric_map(fabric)
    words = {}
    for row in rows:
        _require_row(fabric, row)
        key = row.port, row.row
        words["PORT_ROW_NOW", *key] = registers["PORT_ROW_NOW"].pack(used=1, tenant=row.tenant)
        words["PORT_IDS_NOW", *key] = registers["PORT_IDS_NOW"].pack(first=row.first, last=row.last)
    for (port, tenant), count in places.items():
        words["PORT_PLACES_NOW", port, tenant] = registers["PORT_PLACES_NOW"].pack(places=count)
    return tuple(
        tuple(
            words.get((register.name, port, element), 0)
            for register, element in registers.section_words(SectionKind.PORTS)
        )
        for port in range(len(fabric.ports))
    )


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
        _require_row(fabric, row)
        word = row_register.pack(used=1, tenant=row.tenant, row=row.row, port=row.port)
        writes += [
            (ids.offset, ids.pack(first=row.first, last=row.last)),
            (row_register.offset, word),
        ]
    return writes


def _require_row(fabric: FabricConfig, row: TenantRow) -> None:
    _require_below("port", row.port, len(fabric.ports))
    port = fabric.ports[row.port]
    _require_below("row", row.row, port.table_rows)
    _require_below("tenant", row.tenant, fabric.channel.tenants)
    _require_below("last", row.last, 1 << port.id_width)
    _require_below("first", row.first, row.last + 1)


def _require_credits(fabric: FabricConfig, places: Mapping[tuple[int, int], int]) -> None:
    """Refuse places of a tenant that are more than its queue."""
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
    _require_credits(fabric, places)
    return [
        (register.offset, register.pack(places=count, tenant=tenant, port=port))
        for (port, tenant), count in sorted(places.items(), key=lambda item: item[1])
    ]
