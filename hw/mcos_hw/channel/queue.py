"""Per-tenant request queues that share one memory."""

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.request import request_layout
from mcos_hw.config import ChannelConfig

__all__ = ["RequestQueues"]


class RequestQueues(wiring.Component):
    """One FIFO a tenant, heads in registers, everything behind them in one shared memory.

    Takes one request and gives one head away per clock, both sustained. A request offered to an
    empty queue is its head in the next clock. Order within a tenant is kept; nothing orders one
    tenant against another. A full queue takes nothing and holds up nobody else.

    It decides neither who may send (the channel pushes only into queues that are not ``full``) nor
    who is granted.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    push : In(1)
        Take ``request`` into the queue of its tenant; only while that queue is not full.
    request : In(request_layout)
        Request to take.
    pop : In(1)
        Give away the head of ``pop_tenant``; only while it is present.
    pop_tenant : In(tenant_width)
        Whose head to give away.
    heads : Out(ArrayLayout(request_layout, tenants))
        Heads; meaningful where ``present``.
    present : Out(tenants)
        Which queues have a head.
    full : Out(tenants)
        Which queues take nothing.
    counts : Out(ArrayLayout, tenants)
        Requests in each queue, heads included.
    """

    push: Signal
    request: data.View
    pop: Signal
    pop_tenant: Signal
    heads: data.View
    present: Signal
    full: Signal
    counts: data.View

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        layout = request_layout(config)
        super().__init__(
            {
                "push": In(1),
                "request": In(layout),
                "pop": In(1),
                "pop_tenant": In(config.tenant_width),
                "heads": Out(data.ArrayLayout(layout, config.tenants)),
                "present": Out(config.tenants),
                "full": Out(config.tenants),
                "counts": Out(data.ArrayLayout(config.queue_depth.bit_length(), config.tenants)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        depth_bits = (config.queue_depth - 1).bit_length()

        # Row {tenant, pointer}. A queue's memory holds what is behind its head, so a request
        # passes the memory only when another one is ahead of it.
        m.submodules.rows = rows = memory.Memory(
            shape=request_layout(config), depth=config.tenants * config.queue_depth, init=[]
        )
        write = rows.write_port()
        read = rows.read_port(domain="comb")
        write_pointers = Array(
            Signal(depth_bits, name=f"write_pointer_{i}") for i in range(config.tenants)
        )
        read_pointers = Array(
            Signal(depth_bits, name=f"read_pointer_{i}") for i in range(config.tenants)
        )

        pusher = self.request.tenant
        m.d.comb += [
            write.addr.eq(Cat(write_pointers[pusher], pusher)),
            write.data.eq(self.request),
            read.addr.eq(Cat(read_pointers[self.pop_tenant], self.pop_tenant)),
        ]

        for i in range(config.tenants):
            count = self.counts[i]
            pushed = Signal(name=f"pushed_{i}")
            popped = Signal(name=f"popped_{i}")
            to_head = Signal(name=f"to_head_{i}")
            m.d.comb += [
                pushed.eq(self.push & (pusher == i)),
                popped.eq(self.pop & (self.pop_tenant == i)),
                # The queue is empty but for a head that leaves in this clock.
                to_head.eq(pushed & ((count == 0) | ((count == 1) & popped))),
                self.present[i].eq(count != 0),
                self.full[i].eq(count == config.queue_depth),
            ]
            m.d.sync += count.eq(count + pushed - popped)
            with m.If(to_head):
                m.d.sync += self.heads[i].eq(self.request)
            with m.Elif(popped):
                m.d.sync += self.heads[i].eq(read.data)
            with m.If(pushed & ~to_head):
                m.d.comb += write.en.eq(1)
                m.d.sync += write_pointers[i].eq(write_pointers[i] + 1)
            with m.If(popped & (count > 1)):
                m.d.sync += read_pointers[i].eq(read_pointers[i] + 1)

        return m
