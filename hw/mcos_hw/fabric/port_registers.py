"""What software sets and reads of the ports: rows, credits and counts of what was refused."""

from collections.abc import Sequence

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from amaranth.utils import exact_log2

from mcos_hw.config import FabricConfig
from mcos_hw.control.bank import event_signature, window_signature
from mcos_hw.control.store import PortImage, port_image_signature
from mcos_hw.fabric.port_store import PortStore
from mcos_hw.link.credits import credit_layout
from mcos_hw.link.tenant_row import tenant_row_layout
from mcos_hw.registers import Access, PortError, Register, fabric_map
from mcos_hw.registers.ports import PORT_ERROR_KINDS, table_rows

__all__ = ["PortRegisters"]


class PortRegisters(wiring.Component):
    """Owner of the registers of :mod:`mcos_hw.registers.ports`.

    What ports are told is in a :class:`mcos_hw.fabric.port_store.PortStore`; errors are counted
    here.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.

    Members
    -------
    image : In(PortImage)
        What images set of ports.
    port_ids, port_row, port_places : In(event_signature)
        What software writes.
    port_sizes, port_errors, port_row_now, port_ids_now, port_places_now : In(window_signature)
        What software reads.
    rows_<p> : Out(ArrayLayout(tenant_row_layout, table_rows))
        The tenant table of port p.
    credits : Out(credit_layout), an array with one for each port
        Places of each tenant.
    errors : In(len(PortError)), an array with one for each port
        Bit k: an error of kind k counts in this clock.
    """

    image: PortImage
    credits: Sequence[data.View]
    errors: Sequence[Signal]

    def __init__(self, fabric: FabricConfig) -> None:
        self.fabric = fabric
        ports = len(fabric.ports)
        rows = {
            f"rows_{k}": Out(data.ArrayLayout(tenant_row_layout(fabric, port), port.table_rows))
            for k, port in enumerate(fabric.ports)
        }
        super().__init__(
            {
                "image": In(port_image_signature(fabric_map(fabric))),
                **{each.name.lower(): In(event_signature(each)) for each in self._events()},
                **{each.name.lower(): In(window_signature(each)) for each in self._windows()},
                **rows,
                "credits": Out(credit_layout(fabric)).array(ports),
                "errors": In(len(PortError)).array(ports),
            }
        )

    def _events(self) -> list[Register]:
        """Registers of ports that software writes."""
        return [each for each in self._own() if each.access is Access.WRITE]

    def _windows(self) -> list[Register]:
        """Arrays of ports that software reads."""
        return [each for each in self._own() if each.access is not Access.WRITE and each.count > 1]

    def _own(self) -> list[Register]:
        registers = fabric_map(self.fabric).registers
        return [each for each in registers if each.name.startswith("PORT_")]

    @property
    def names(self) -> tuple[str, ...]:
        """Members that the control plane has as well."""
        return tuple(each.name.lower() for each in (*self._events(), *self._windows()))

    def elaborate(self, platform):
        m = Module()
        m.submodules.store = store = PortStore(self.fabric)
        connect(m, flipped(self.image), store.image)
        for register in self._events():
            name = register.name.lower()
            connect(m, flipped(getattr(self, name)), getattr(store, name))
        registers = {each.name: each for each in self._windows()}
        words: dict[str, dict[int, Value]] = {name: {} for name in registers}
        self._elaborate_settings(m, store, words)
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

    def _elaborate_settings(
        self, m: Module, store: PortStore, words: dict[str, dict[int, Value]]
    ) -> None:
        stride, tenants = table_rows(self.fabric), self.fabric.channel.tenants
        for k, port in enumerate(self.fabric.ports):
            rows = getattr(store, f"rows_{k}")
            m.d.comb += [
                getattr(self, f"rows_{k}").eq(rows),
                self.credits[k].eq(store.credits[k]),
            ]
            for index in range(port.table_rows):
                held, place = rows[index], stride * k + index
                words["PORT_ROW_NOW"][place] = Cat(held.used, Const(0, 7), held.tenant)
                words["PORT_IDS_NOW"][place] = Cat(
                    held.first, Const(0, 16 - port.id_width), held.last
                )
            for tenant in range(tenants):
                words["PORT_PLACES_NOW"][tenants * k + tenant] = store.credits[k][tenant]

    def _elaborate_errors(self, m: Module, words: dict[str, dict[int, Value]]) -> None:
        width = exact_log2(PORT_ERROR_KINDS)
        for k, errors in enumerate(self.errors):
            for kind in PortError:
                count = Signal(32, name=f"count_{k}_{kind.name.lower()}")
                with m.If(errors[kind]):
                    m.d.sync += count.eq(count + 1)
                words["PORT_ERRORS"][(k << width) + kind] = count
