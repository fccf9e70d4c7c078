"""Registers of a fabric's ports: whose an ID is, how far a tenant may go, what was refused."""

import enum

from mcos_hw.config import FabricConfig
from mcos_hw.registers.builder import Builder
from mcos_hw.registers.declaration import Access, Field
from mcos_hw.registers.image import SectionKind

__all__ = [
    "PORT_ERROR_KINDS",
    "PortError",
    "add_ports",
    "credit_rows",
    "port_rows",
    "table_rows",
]


PORT_ERROR_KINDS = 8
"""Error counters of a port: index ``8 * port + kind``; some are not used."""


class PortError(enum.IntEnum):
    """What a port counts."""

    UNMAPPED_READ = 0
    """Reads answered with DECERR: no row has their ID, or its tenant is not enabled."""
    UNMAPPED_WRITE = 1
    """Writes answered with DECERR."""
    FAULTY_READ = 2
    """Reads answered with SLVERR, because AXI has no such burst."""
    FAULTY_WRITE = 3
    """Writes answered with SLVERR, because AXI has no such burst."""
    WRONG_LAST = 4
    """Writes answered with SLVERR, because WLAST was not at their last transfer."""


def _padded(count: int) -> int:
    """Elements of an array: a power of two, and two at least."""
    return max(2, 1 << (count - 1).bit_length())


def port_rows(fabric: FabricConfig) -> int:
    """Elements of an array with one for each port."""
    return _padded(len(fabric.ports))


def table_rows(fabric: FabricConfig) -> int:
    """Rows that every port's table has in the arrays; a smaller table's others are not used."""
    return _padded(max(port.table_rows for port in fabric.ports))


def credit_rows(fabric: FabricConfig) -> int:
    """Elements of an array with one for each port and tenant."""
    return port_rows(fabric) * fabric.channel.tenants


def add_ports(build: Builder, fabric: FabricConfig) -> None:
    rows = table_rows(fabric)
    tenant = Field(name="tenant", low=8, width=8, description="Tenant tag.")
    port = Field(name="port", low=24, width=8, description="Which port.")
    build.add(
        "PORTS",
        Access.READ,
        "What the fabric was built with.",
        Field(
            name="ports",
            low=0,
            width=8,
            reset=len(fabric.ports),
            description="Subordinate ports.",
        ),
        Field(
            name="table_rows",
            low=8,
            width=8,
            reset=rows,
            description="Rows of each port in the arrays of rows.",
        ),
        Field(
            name="beat_bytes",
            low=16,
            width=8,
            unit="bytes",
            reset=fabric.beat_bytes,
            description="Width of the memory port.",
        ),
    )
    build.add(
        "PORT_IDS",
        Access.WRITE,
        "IDs of the row that PORT_ROW writes next.",
        Field(name="first", low=0, width=16, description="Lowest ID of the row."),
        Field(name="last", low=16, width=16, description="Highest ID of the row."),
    )
    build.add(
        "PORT_ROW",
        Access.WRITE,
        "Writes a row of a port's tenant table, with the IDs of PORT_IDS.",
        Field(name="used", low=0, width=1, description="The row counts."),
        tenant,
        Field(name="row", low=16, width=8, description="Which row; the lowest that fits counts."),
        port,
    )
    build.add(
        "PORT_PLACES",
        Access.WRITE,
        "Sets how many places in its queue a tenant may hold through a port. The credits of a "
        "tenant over all ports must not exceed its queue.",
        Field(name="places", low=0, width=8, unit="requests", description="Places."),
        tenant,
        port,
    )
    build.add(
        "PORT_SIZES",
        Access.READ,
        "Sizes of each port; zero where there is none.",
        Field(name="data_bytes", low=0, width=8, unit="bytes", description="Width of data."),
        Field(name="id_width", low=8, width=8, unit="bits", description="Width of an ID."),
        Field(
            name="order_bits",
            low=16,
            width=8,
            unit="bits",
            description="Low bits of an ID that name its order.",
        ),
        count=port_rows(fabric),
    )
    build.add(
        "PORT_ERRORS",
        Access.READ,
        f"Bursts refused since reset, modulo 2**32: element {PORT_ERROR_KINDS} * port + kind; "
        + ", ".join(f"{kind.value} {kind.name.lower()}" for kind in PortError)
        + ".",
        Field(name="count", width=32, unit="bursts", description="Count."),
        count=port_rows(fabric) * PORT_ERROR_KINDS,
    )
    build.add(
        "PORT_ROW_NOW",
        Access.IMAGE,
        "Rows of the tenant tables: element table_rows * port + row.",
        Field(name="used", low=0, width=1, description="The row counts."),
        tenant,
        count=port_rows(fabric) * rows,
        part=SectionKind.PORTS,
        each=rows,
    )
    build.add(
        "PORT_IDS_NOW",
        Access.IMAGE,
        "IDs of these rows: element table_rows * port + row.",
        Field(name="first", low=0, width=16, description="Lowest ID of the row."),
        Field(name="last", low=16, width=16, description="Highest ID of the row."),
        count=port_rows(fabric) * rows,
        part=SectionKind.PORTS,
        each=rows,
    )
    build.add(
        "PORT_PLACES_NOW",
        Access.IMAGE,
        "Places that a tenant may hold through a port: element tenants * port + tenant.",
        Field(
            name="places",
            low=0,
            width=8,
            unit="requests",
            description="Places.",
            most=min(255, fabric.channel.queue_depth),
        ),
        count=credit_rows(fabric),
        part=SectionKind.PORTS,
        each=fabric.channel.tenants,
    )
    build.add(
        "IMAGE_SECTION",
        Access.READ,
        "Section of an image that the code in IMAGE_STATUS is about; 0 if it is about none.",
        Field(name="kind", low=0, width=8, values=SectionKind, description="Its kind."),
        Field(
            name="index",
            low=8,
            width=8,
            description="Which of its kind; 255 if a value is wrong or a section left out.",
        ),
    )
