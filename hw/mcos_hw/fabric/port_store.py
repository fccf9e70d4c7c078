"""Where the settings of ports are kept: shadow registers that images fill, live ones that count."""

from collections.abc import Sequence
from typing import Any

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import FabricConfig
from mcos_hw.control.bank import event_signature
from mcos_hw.control.store import PortImage, port_image_signature
from mcos_hw.link.credits import credit_layout
from mcos_hw.link.tenant_row import tenant_row_layout
from mcos_hw.registers import fabric_map
from mcos_hw.registers.ports import table_rows

__all__ = ["PortStore"]


class PortStore(wiring.Component):
    """Rows of all tenant tables, and the credits of every port and tenant.

    An image's words enter the shadow. A commit copies the whole shadow to what is live at the edge
    that ends its clock, together with all else that images set. A begin puts what is live into the
    shadow, so an image that says nothing of ports leaves them as they are.

    Software may also change one row or one credit at once; that counts from the next clock on, and
    goes into the shadow as well. A write that names a port, row or tenant that is not there changes
    nothing. The store does not judge values; the loader's checkers do.

    After reset no row is used, and the queue of each tenant is divided evenly over the ports: what
    is left over goes to the first.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.

    Members
    -------
    image : In(PortImage)
        What images set.
    port_ids, port_row, port_places : In(event_signature)
        What software changes at once.
    rows_<p> : Out(ArrayLayout(tenant_row_layout, table_rows))
        The live tenant table of port p.
    credits : Out(credit_layout), an array with one for each port
        Live places of each tenant.
    """

    image: PortImage
    port_ids: Any
    port_row: Any
    port_places: Any
    credits: Sequence[data.View]

    def __init__(self, fabric: FabricConfig) -> None:
        self.fabric = fabric
        registers = fabric_map(fabric)
        super().__init__(
            {
                "image": In(port_image_signature(registers)),
                **{
                    name.lower(): In(event_signature(registers[name]))
                    for name in ("PORT_IDS", "PORT_ROW", "PORT_PLACES")
                },
                **{
                    f"rows_{k}": Out(
                        data.ArrayLayout(tenant_row_layout(fabric, port), port.table_rows)
                    )
                    for k, port in enumerate(fabric.ports)
                },
                "credits": Out(credit_layout(fabric)).array(len(fabric.ports)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        ids = Signal(32)
        with m.If(self.port_ids.stb):
            m.d.sync += ids.eq(Cat(self.port_ids.first, self.port_ids.last))
        for k in range(len(self.fabric.ports)):
            self._keep(m, k, ids)
        return m

    def _keep(self, m: Module, k: int, ids: Signal) -> None:
        """The settings of one port."""
        channel, image = self.fabric.channel, self.image
        each, over = divmod(channel.queue_depth, len(self.fabric.ports))
        share = [each + (over if k == 0 else 0)] * channel.tenants
        live_rows, rows = getattr(self, f"rows_{k}"), Signal.like(getattr(self, f"rows_{k}"))
        live_credits = Signal(credit_layout(self.fabric), init=share, name=f"live_credits_{k}")
        credits = Signal(credit_layout(self.fabric), init=share, name=f"credits_{k}")
        m.d.comb += self.credits[k].eq(live_credits)

        stride = table_rows(self.fabric)
        with m.If(image.place.stb & (image.place.element == k)), m.Switch(image.place.row):
            for index in range(self.fabric.ports[k].table_rows):
                with m.Case(index):
                    m.d.sync += [
                        rows[index].used.eq(image.word[0]),
                        rows[index].tenant.eq(image.word[8:]),
                    ]
                with m.Case(stride + index):
                    m.d.sync += _ids(rows[index], image.word)
            for tenant in range(channel.tenants):
                with m.Case(2 * stride + tenant):
                    m.d.sync += credits[tenant].eq(image.word)
        with m.If(image.begin):
            m.d.sync += [rows.eq(live_rows), credits.eq(live_credits)]
        with m.If(image.commit_stb):
            m.d.sync += [live_rows.eq(rows), live_credits.eq(credits)]

        # Software changes one at once.
        event = self.port_row
        with m.If(event.stb & (event.port == k)), m.Switch(event.row):
            for index in range(self.fabric.ports[k].table_rows):
                with m.Case(index):
                    for row in (rows[index], live_rows[index]):
                        m.d.sync += [row.used.eq(event.used), row.tenant.eq(event.tenant)]
                        m.d.sync += _ids(row, ids)
        event = self.port_places
        with m.If(event.stb & (event.port == k)), m.Switch(event.tenant):
            for tenant in range(channel.tenants):
                with m.Case(tenant):
                    m.d.sync += [
                        credits[tenant].eq(event.places),
                        live_credits[tenant].eq(event.places),
                    ]


def _ids(row: data.View, word: Value) -> list:
    """The row's IDs become those of a word of PORT_IDS."""
    return [row.first.eq(word[:16]), row.last.eq(word[16:])]
