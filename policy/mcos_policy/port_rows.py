"""What a contract says of AXI ports: at which of them a tenant is, and with which IDs."""

from collections.abc import Iterator

from mcos_hw.config import ChannelConfig, FabricConfig
from mcos_policy.contract import Contract, TenantPort
from mcos_policy.diagnostics import Diagnostic, error
from mcos_policy.ports import TenantRow, port_sections, shared_credits

__all__ = [
    "asked_sections",
    "check_fabric_ports",
    "check_ports",
    "last_port",
]


def last_port(contract: Contract) -> int | None:
    """The highest port that a contract names; None if it says nothing of ports."""
    return max((each.number for _, each in _asked(contract)), default=None)


def asked_sections(contract: Contract, fabric: FabricConfig) -> tuple[tuple[int, ...], ...]:
    """Words of the image's section of each port; none if the contract says nothing of ports.

    A tenant whose places are not told has its queue divided evenly over its ports.
    """
    if last_port(contract) is None:
        return ()
    rows = list(_rows(contract))
    places = shared_credits(fabric, rows)
    tags = contract.tags()
    for position, each in _asked(contract):
        if each.places is not None:
            places[each.number, tags[position]] = each.places
    return port_sections(fabric, rows, places)


def check_ports(contract: Contract, config: ChannelConfig) -> Iterator[Diagnostic]:
    """Everything that no ports can have: an ID of two tenants, more credits than a queue."""
    asked = [each for _, each in _asked(contract)]
    if asked and config.beat_bytes != config.bytes_per_clock:
        text = (
            f"[[tenant.port]] needs hardware whose beat is what a channel moves in a clock, "
            f"{config.bytes_per_clock} bytes, not {config.beat_bytes}; set beat_bytes in "
            "[hardware], or remove it"
        )
        yield error(asked[0].origin, text)
    for position, each in _asked(contract):
        for other, earlier in _asked(contract):
            if earlier is each:
                break
            shared = earlier.ids[0] <= each.ids[1] and each.ids[0] <= earlier.ids[1]
            if earlier.number == each.number and shared:
                text = (
                    f"ids must be of one tenant at a port, and {contract.tenants[other].name} has "
                    f"some of {each.at('ids').shown} at port {each.number}; take others"
                )
                yield error(each.at("ids").origin, text)
                break
        yield from _check_places(contract, position, each, config)


def _check_places(
    contract: Contract, position: int, each: TenantPort, config: ChannelConfig
) -> Iterator[Diagnostic]:
    ports = list(contract.tenants[position].ports.values())
    if ports[-1] is not each:
        return
    told = [port for port in ports if port.places is not None]
    numbers = {port.number for port in told}
    total = sum(port.places or 0 for port in told)
    depth = config.queue_depth
    if len(numbers) < len(told):
        text = f"places of a tenant at port {each.number} must be told once; remove the others"
        yield error(told[-1].at("places").origin, text)
    elif told and {port.number for port in ports} != numbers:
        text = "places must be told for each port of the tenant or for none; add the others"
        yield error(told[-1].at("places").origin, text)
    elif total > depth:
        text = (
            f"places of a tenant must add up to at most its queue, {depth}, not {total}; lower them"
        )
        yield error(told[-1].at("places").origin, text)


def check_fabric_ports(contract: Contract, fabric: FabricConfig) -> Iterator[Diagnostic]:
    """What the ports of this hardware have not."""
    rows = [0] * len(fabric.ports)
    for _, each in _asked(contract):
        if each.number >= len(fabric.ports):
            text = (
                f"port must be in 0..{len(fabric.ports) - 1}, the ports of the hardware, "
                f"not {each.number}; choose another"
            )
            yield error(each.at("number").origin, text)
            continue
        port = fabric.ports[each.number]
        rows[each.number] += 1
        if each.ids[1] >> port.id_width:
            text = (
                f"ids must be in 0..{(1 << port.id_width) - 1}, the IDs of port {each.number}, "
                f"not {each.at('ids').shown}; take others"
            )
            yield error(each.at("ids").origin, text)
        if rows[each.number] == port.table_rows + 1:
            text = (
                f"port {each.number} must have at most {port.table_rows} ranges of IDs, the rows "
                "of its table; take longer ranges"
            )
            yield error(each.at("number").origin, text)


def _asked(contract: Contract) -> Iterator[tuple[int, TenantPort]]:
    """What each tenant says of a port, with its position."""
    for position, tenant in contract.tenants.items():
        for each in tenant.ports.values():
            yield position, each


def _rows(contract: Contract) -> Iterator[TenantRow]:
    """Rows of the tenant tables, those of a port in the order of the contract."""
    used: dict[int, int] = {}
    tags = contract.tags()
    for position, each in _asked(contract):
        row = used.get(each.number, 0)
        used[each.number] = row + 1
        first, last = each.ids
        yield TenantRow(port=each.number, row=row, tenant=tags[position], first=first, last=last)
