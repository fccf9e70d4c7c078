"""What happens in a clock, for the counters and the probe."""

from typing import Protocol

from amaranth.hdl import Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import LATENCY_BINS

__all__ = [
    "Events",
    "events_signature",
]


class Events(Protocol):
    """The events that count in this clock. Each happened a fixed number of clocks before."""

    busy: Signal
    """Granted bytes are owed to the pacer or unserved at the port in this clock."""

    stalled: Signal
    """A command waited for memory in the clock before."""

    held: Signal
    """Bit i: in the clock before, the head of tenant i was held, see
    :class:`mcos_hw.link.classes.Classes`."""

    outside: Signal
    """In the clock before, the bit of a tenant whose request approached its queue outside its page
    colours, or none."""

    grant: data.View
    """The grant of the clock before.

    - ``valid``: there was one; without it the other fields mean nothing;
    - ``tenant``, ``op``, ``beats``: as in the request;
    - ``class_code``: :class:`mcos_hw.registers.GrantClass` in which it was granted;
    - ``promoted``: it was a promotion by age.
    """

    response: data.View
    """The response of three clocks before.

    - ``valid``: there was one; without it the other fields mean nothing;
    - ``tenant``: to whom;
    - ``bin``: bin of its latency, which counts from its first offer to its response;
    - ``late``: its latency was over the objective of its tenant.
    """


def events_signature(config: ChannelConfig) -> wiring.Signature:
    """:class:`Events` as the observer drives it."""
    return wiring.Signature(
        {
            "busy": Out(1),
            "stalled": Out(1),
            "held": Out(config.tenants),
            "outside": Out(config.tenants),
            "grant": Out(
                data.StructLayout(
                    {
                        "valid": 1,
                        "tenant": config.tenant_width,
                        "op": 1,
                        "class_code": 2,
                        "beats": config.beats_width,
                        "promoted": 1,
                    }
                )
            ),
            "response": Out(
                data.StructLayout(
                    {
                        "valid": 1,
                        "tenant": config.tenant_width,
                        "bin": range(LATENCY_BINS),
                        "late": 1,
                    }
                )
            ),
        }
    )
