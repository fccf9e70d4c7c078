"""What a channel shows of its state, every clock: for waveforms, checks and lockstep."""

from amaranth.hdl import signed
from amaranth.lib import data

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import LATENCY_BINS

__all__ = [
    "probe_layout",
]


def probe_layout(config: ChannelConfig) -> data.StructLayout:
    """State at the beginning of a clock, and the choice made in it.

    Members of ``tenants[i]``:

    - ``queued``: requests that were taken and not granted;
    - ``present``: one of them is the head;
    - ``beats``: beats of the head, 0 without one;
    - ``class_code``: :class:`GrantClass` of the head, or :data:`NO_CLASS`;
    - ``serviceable``: the head may be granted when the pacer and the port allow;
    - ``candidate``: the arbiter's last round of choice includes the head;
    - ``age``: clocks the head has been serviceable;
    - ``start``, ``finish``: tags, modulo ``2**tag_width``;
    - ``committed``, ``peak``: token levels, in ``2**-rate_fraction`` bytes, signed.

    Members of ``channel``:

    - ``virtual_time``: V, modulo ``2**tag_width``;
    - ``open``: pacer and port take a grant in this clock;
    - ``granted``, ``promoted``, ``tenant``, ``beats``: the grant of this clock, and
      ``granted_class``: as what it was chosen in the clock before;
    - ``in_flight``: bytes granted and not yet served;
    - ``debt``: bytes granted ahead of the paced rate, in ``2**-rate_fraction`` bytes;
    - ``load``: quarters of the port credit that were in flight in the clock before.

    Members of ``monitor``, what it counts in this clock beside grants:

    - ``epoch``: number of the epoch that was latched last;
    - ``busy``: the channel owes bytes;
    - ``stalled``: a command waited for memory in the clock before;
    - ``held``: a bit for each tenant whose head waits for tokens;
    - ``outside``: the bit of a tenant that sent a request outside its colours;
    - ``responded``: a response, with its ``tenant``, the bin of its latency (``bin``), and whether
      it was over its objective (``late``); 0 without one.
    """
    level_width = config.depth_width + config.rate_fraction + 1
    tenant = data.StructLayout(
        {
            "queued": config.queue_depth.bit_length(),
            "present": 1,
            "beats": config.beats_width,
            "class_code": 2,
            "serviceable": 1,
            "candidate": 1,
            "age": config.clocks_width,
            "start": config.tag_width,
            "finish": config.tag_width,
            "committed": signed(level_width),
            "peak": signed(level_width),
        }
    )
    channel = data.StructLayout(
        {
            "virtual_time": config.tag_width,
            "open": 1,
            "granted": 1,
            "promoted": 1,
            "tenant": config.tenant_width,
            "beats": config.beats_width,
            "granted_class": 2,
            "in_flight": config.credit_width,
            "debt": config.rate_fraction + (config.l_max + config.bytes_per_clock).bit_length(),
            "load": 2,
        }
    )
    monitor = data.StructLayout(
        {
            "epoch": 32,
            "busy": 1,
            "stalled": 1,
            "held": config.tenants,
            "outside": config.tenants,
            "responded": 1,
            "tenant": config.tenant_width,
            "bin": range(LATENCY_BINS),
            "late": 1,
        }
    )
    return data.StructLayout(
        {
            "channel": channel,
            "tenants": data.ArrayLayout(tenant, config.tenants),
            "monitor": monitor,
        }
    )
