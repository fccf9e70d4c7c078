"""What software sets and reads of the ports: rows, credits and counts of what was refused."""

from collections.abc import Sequence

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from mcos_hw.config import FabricConfig
from mcos_hw.control.bank import event_signature, window_signature
from mcos_hw.link.credits import credit_layout
from mcos_hw.link.tenant_row import row_write_signature, tenant_row_layout
from mcos_hw.registers import Access, PortError, Register, fabric_map
from mcos_hw.registers.ports import PORT_ERROR_KINDS, table_rows

__all__ = ["PortRegisters"]


class PortRegisters(wiring.Component):
    """Owner of the registers of :mod:`mcos_hw.registers.ports`.

    A row or a credit changes in the clock after its write. After reset no row is used, and the
    queue of each tenant is divided evenly over the ports: what is left over goes to the first.

    A write that names a port, row or tenant that is not there changes nothing.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.

    Members
    -------
    port_ids, port_row, port_places : In(event_signature)
        What software writes.
    port_sizes, port_errors, port_row_now, port_ids_now, port_places_now : In(window_signature)
        What software reads.
    row_write_<p> : Out(RowWrite)
        To the tenant table of port p.
    rows_<p> : In(ArrayLayout(tenant_row_layout, table_rows))
        What that holds.
    credits : Out(credit_layout), an array with one for each port
        Places of each tenant.
    errors : In(len(PortError)), an array with one for each port
        Bit k: an error of kind k counts in this clock.
    """

    credits: Sequence[data.View]
    errors: Sequence[Signal]

    def __init__(self, fabric: FabricConfig) -> None:
        self.fabric = fabric
        ports = len(fabric.ports)
        members = {}
        for k, port in enumerate(fabric.ports):
            rows = data.ArrayLayout(tenant_row_layout(fabric, port), port.table_rows)
            members[f"row_write_{k}"] = Out(row_write_signature(fabric, port))
            members[f"rows_{k}"] = In(rows)
        super().__init__(
            {
                **{each.name.lower(): In(event_signature(each)) for each in self._of(Access.WRITE)},
                **{each.name.lower(): In(window_signature(each)) for each in self._of(Access.READ)},
                **members,
                "credits": Out(credit_layout(fabric)).array(ports),
                "errors": In(len(PortError)).array(ports),
            }
        )

    def _of(self, access: Access) -> list[Register]:
        """Registers of ports: events, or arrays."""
        return [
            each
            for each in fabric_map(self.fabric).registers
            if each.name.startswith("PORT_")
            and each.access is access
            and (access is Access.WRITE or each.count > 1)
        ]

    def _events(self) -> dict:
        return {each.name: getattr(self, each.name.lower()) for each in self._of(Access.WRITE)}

    @property
    def names(self) -> tuple[str, ...]:
        """Members that the control plane has as well."""
        of_both = (*self._of(Access.WRITE), *self._of(Access.READ))
        return tuple(each.name.lower() for each in of_both)

    def elaborate(self, platform):
        m = Module()
        registers = {each.name: each for each in self._of(Access.READ)}
        words = {name: {} for name in registers}
        self._elaborate_rows(m, words)
        self._elaborate_credits(m, words)
        self._elaborate_errors(m, words)
        for k, port in enumerate(self.fabric.ports):
            words["PORT_SIZES"][k] = Const(
                registers["PORT_SIZES"].pack(
                    data_bytes=0 if port.inner else port.data_bytes,
                    id_width=0 if port.inner else port.id_width,
                    order_bits=port.order_bits,
                ),
                32,
            )
        for name, register in registers.items():
            window = getattr(self, name.lower())
            found = [words[name].get(index, Const(0, 32)) for index in range(register.count)]
            m.d.sync += window.data.eq(Array(found)[window.index])
        return m

    def _elaborate_rows(self, m: Module, words: dict[str, dict[int, Value]]) -> None:
        events = self._events()
        ids, row = events["PORT_IDS"], events["PORT_ROW"]
        first = Signal(16)
        last = Signal(16)
        with m.If(ids.stb):
            m.d.sync += [first.eq(ids.first), last.eq(ids.last)]
        stride = table_rows(self.fabric)
        for k, port in enumerate(self.fabric.ports):
            write = getattr(self, f"row_write_{k}")
            there = row.row < port.table_rows
            m.d.comb += [
                write.stb.eq(row.stb & (row.port == k) & there),
                write.index.eq(row.row),
                write.row.used.eq(row.used),
                write.row.tenant.eq(row.tenant),
                write.row.first.eq(first),
                write.row.last.eq(last),
            ]
            for index in range(port.table_rows):
                held = getattr(self, f"rows_{k}")[index]
                place = stride * k + index
                words["PORT_ROW_NOW"][place] = Cat(held.used, Const(0, 7), held.tenant)
                words["PORT_IDS_NOW"][place] = Cat(
                    held.first, Const(0, 16 - port.id_width), held.last
                )

    def _elaborate_credits(self, m: Module, words: dict[str, dict[int, Value]]) -> None:
        channel, ports = self.fabric.channel, len(self.fabric.ports)
        write = self._events()["PORT_PLACES"]
        each, over = divmod(channel.queue_depth, ports)
        for k in range(ports):
            for tenant in range(channel.tenants):
                places = Signal(
                    range(channel.queue_depth + 1),
                    name=f"credit_{k}_{tenant}",
                    init=each + (over if k == 0 else 0),
                )
                with m.If(write.stb & (write.port == k) & (write.tenant == tenant)):
                    m.d.sync += places.eq(write.places)
                m.d.comb += self.credits[k][tenant].eq(places)
                words["PORT_PLACES_NOW"][channel.tenants * k + tenant] = places

    def _elaborate_errors(self, m: Module, words: dict[str, dict[int, Value]]) -> None:
        width = exact_log2(PORT_ERROR_KINDS)
        for k, errors in enumerate(self.errors):
            for kind in PortError:
                count = Signal(32, name=f"count_{k}_{kind.name.lower()}")
                with m.If(errors[kind]):
                    m.d.sync += count.eq(count + 1)
                words["PORT_ERRORS"][(k << width) + kind] = count
