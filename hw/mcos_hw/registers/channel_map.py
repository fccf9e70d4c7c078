"""The register map of one channel, declared once.

The AXI4-Lite bank, the image layout, the policy compiler's names and every export come from
:func:`channel_map`; no offset or width is typed elsewhere.
"""

import enum

from mcos_hw.config import ChannelConfig
from mcos_hw.registers.declaration import Access, Field, Register, RegisterMap
from mcos_hw.registers.image import ImageCode, ImageState

__all__ = [
    "COLOUR_BITS",
    "CORE_MAGIC",
    "CORE_VERSION",
    "GRANT_KINDS",
    "LATENCY_BINS",
    "ArbiterKind",
    "GrantClass",
    "channel_map",
]


CORE_MAGIC = int.from_bytes(b"MCOS", "little")
"""Word that identifies the core."""

CORE_VERSION = (0, 1, 0)
"""Version of the hardware interface: major, minor, patch."""

COLOUR_BITS = 4
"""Address bits that can make a page's colour."""

LATENCY_BINS = 16
"""Bins of a latency histogram; bin b counts 2**b <= latency < 2**(b+1) clocks, the ends open."""

GRANT_KINDS = 8
"""Grant counters of a tenant: index ``4 * op + class``."""


class ArbiterKind(enum.IntEnum):
    """Which arbiter the channel was built with."""

    MCOS = 0
    FCFS = 1
    ROUND_ROBIN = 2
    FIXED_PRIORITY = 3


class GrantClass(enum.IntEnum):
    """How a grant was covered by its tenant's buckets."""

    CONFORMING = 0
    BURST = 1
    SCAVENGED = 2


class _Builder:
    """Lays registers out by rising offset."""

    def __init__(self) -> None:
        self.offset = 0
        self.registers: list[Register] = []

    def at(self, offset: int) -> None:
        """Continue at ``offset``."""
        self.offset = offset

    def add(
        self, name: str, access: Access, description: str, *fields: Field, count: int = 1
    ) -> None:
        """Append a register, or an array aligned to its size: an index is an address slice."""
        if count > 1:
            self.offset = -(-self.offset // (4 * count)) * 4 * count
        register = Register(
            name=name,
            offset=self.offset,
            access=access,
            fields=fields,
            description=description,
            count=count,
        )
        self.registers.append(register)
        self.offset += register.size


def _counter(unit: str) -> tuple[Field, Field]:
    return (
        Field(name="count", width=31, unit=unit, description="Count within the epoch, saturating."),
        Field(name="overflow", low=31, width=1, description="The count saturated."),
    )


def channel_map(config: ChannelConfig) -> RegisterMap:
    """The register map of a channel of the given sizes."""
    build = _Builder()
    _identification(build, config)
    build.at(0x40)
    _image_port(build, config)
    build.at(0x100)
    _channel_settings(build, config)
    build.at(0x200)
    _tenant_settings(build, config)
    build.at(0x1000)
    _monitor(build, config)
    return RegisterMap(
        name="mcos_channel",
        description=(
            "One MCOS channel: identification, the image port, the live configuration, and the "
            "monitor's last latched epoch. Per-tenant arrays are indexed by tenant tag."
        ),
        registers=tuple(build.registers),
        address_width=13,
    )


def _identification(build: _Builder, config: ChannelConfig) -> None:
    major, minor, patch = CORE_VERSION
    build.add(
        "CORE",
        Access.READ,
        "Identifies the core.",
        Field(name="magic", width=32, reset=CORE_MAGIC, description='"MCOS" read as bytes.'),
    )
    build.add(
        "CORE_VERSION",
        Access.READ,
        "Version of the hardware interface.",
        Field(name="patch", low=0, width=8, reset=patch, description="Compatible corrections."),
        Field(name="minor", low=8, width=8, reset=minor, description="Compatible additions."),
        Field(name="major", low=16, width=8, reset=major, description="Incompatible changes."),
    )
    build.add(
        "MAP_HASH",
        Access.READ,
        "Hash of this register map; an image names the hash it was compiled for.",
        Field(name="hash", width=32, description="First 32 bits of the map's SHA-256."),
    )
    build.add(
        "CAPABILITY",
        Access.READ,
        "Sizes the core was built with.",
        Field(name="channels", low=0, width=8, reset=1, description="Channels in this core."),
        Field(name="tenants", low=8, width=8, reset=config.tenants, description="Tenant tags."),
        Field(
            name="queue_depth",
            low=16,
            width=8,
            unit="requests",
            reset=config.queue_depth,
            description="Queue of each tenant.",
        ),
        Field(
            name="beat_bytes",
            low=24,
            width=8,
            unit="bytes",
            reset=config.beat_bytes,
            description="Bytes of a beat.",
        ),
    )
    build.add(
        "LIMITS",
        Access.READ,
        "Limits the core was built with.",
        Field(
            name="l_max",
            low=0,
            width=16,
            unit="bytes",
            reset=config.l_max,
            description="Longest request.",
        ),
        Field(
            name="lateness",
            low=16,
            width=4,
            unit="grants",
            reset=config.lateness,
            description="L: how late eligibility sees virtual time.",
        ),
        Field(
            name="bytes_per_clock",
            low=20,
            width=12,
            unit="bytes per clock",
            reset=config.bytes_per_clock,
            description="The channel's rate r.",
        ),
    )
    build.add(
        "CLOCK",
        Access.READ,
        "Nominal clock frequency.",
        Field(name="khz", width=32, unit="kHz", reset=config.clock_khz, description="Frequency."),
    )
    build.add(
        "ARBITER",
        Access.READ,
        "Arbiter the core was built with.",
        Field(
            name="kind", width=4, values=ArbiterKind, description="Which arbiter grants requests."
        ),
    )


def _image_port(build: _Builder, config: ChannelConfig) -> None:
    build.add(
        "IMAGE_CONTROL",
        Access.WRITE,
        "Starts and commits images.",
        Field(name="begin", low=0, width=1, description="Forget what was staged; expect word 0."),
        Field(name="commit", low=1, width=1, description="Make the staged image live."),
    )
    build.add(
        "IMAGE_DATA",
        Access.WRITE,
        "Takes the words of an image in order.",
        Field(name="word", width=32, description="Next word."),
    )
    build.add(
        "IMAGE_STATUS",
        Access.READ,
        "State of the loader.",
        Field(name="state", low=0, width=3, values=ImageState, description="Where the loader is."),
        Field(name="code", low=8, width=5, values=ImageCode, description="Why it refused."),
        Field(
            name="received", low=16, width=16, unit="words", description="Words taken, saturating."
        ),
    )
    build.add(
        "GENERATION",
        Access.READ,
        "Commits since reset; 0 means that no image is live.",
        Field(name="commits", width=32, description="Number of the live generation."),
    )
    build.add(
        "LIVE_LABEL",
        Access.READ,
        "Label of the live image.",
        Field(name="label", width=32, description="Label word of the live image's header."),
    )
    build.add(
        "LIVE_CRC",
        Access.READ,
        "CRC-32 of the live image.",
        Field(name="crc", width=32, description="Last word of the live image."),
    )


def _channel_settings(build: _Builder, config: ChannelConfig) -> None:
    build.add(
        "MODE",
        Access.IMAGE,
        "Switches of the channel.",
        Field(
            name="pacer_enable", low=0, width=1, description="Keep granted bytes at the paced rate."
        ),
        Field(
            name="overcommitted",
            low=1,
            width=1,
            description="Capacity is under the sum of guarantees: priority goes before finish tag.",
        ),
    )
    build.add(
        "PACER_RATE",
        Access.IMAGE,
        "Rate at which bytes may be granted.",
        Field(
            name="pacer_rate",
            width=config.rate_width,
            unit=f"bytes per clock / 2**{config.rate_fraction}",
            description="Paced rate, at most the channel's rate r.",
        ),
    )
    build.add(
        "PORT_CREDIT",
        Access.IMAGE,
        "Bytes that may be granted and not yet served.",
        Field(
            name="port_credit",
            width=config.credit_width,
            unit="bytes",
            description="Port credit, at least l_max.",
        ),
    )
    build.add(
        "INVERSE_TOTAL_WEIGHT",
        Access.IMAGE,
        "Reciprocal of the sum of the weights of all enabled tenants.",
        Field(
            name="inverse_total_weight",
            width=config.total_reciprocal_width,
            unit=f"2**-{config.total_reciprocal_fraction}",
            description="1/W.",
        ),
    )
    build.add(
        "DEPTH1",
        Access.IMAGE,
        "Depth-1 rule.",
        Field(
            name="depth1_clocks",
            width=8,
            unit="clocks",
            description="A request this soon after the tenant's last response keeps its turn.",
        ),
    )
    build.add(
        "PROMOTION",
        Access.IMAGE,
        "Age guard.",
        Field(
            name="promotion_interval",
            width=8,
            unit="grants",
            description="At most one age promotion in this many grants, at least 1.",
        ),
    )
    build.add(
        "EPOCH_LENGTH",
        Access.IMAGE,
        "Metrics period.",
        Field(
            name="epoch_clocks",
            width=32,
            unit="clocks",
            description="Clocks of an epoch; 0 latches never.",
        ),
    )
    build.add(
        "COLOUR_BITS",
        Access.IMAGE,
        "Which bits of an address make the colour of its page.",
        *(
            Field(
                name=f"colour_bit_{k}",
                low=8 * k,
                width=6,
                description=f"Address bit that is bit {k} of the colour.",
            )
            for k in range(COLOUR_BITS)
        ),
    )


def _tenant_settings(build: _Builder, config: ChannelConfig) -> None:
    count = config.tenants
    rate_unit = f"bytes per clock / 2**{config.rate_fraction}"
    build.add(
        "TENANT_MODE",
        Access.IMAGE,
        "Switches of each tenant.",
        Field(name="enable", low=0, width=1, description="The tenant's requests are taken."),
        Field(
            name="work_conserving",
            low=1,
            width=1,
            description="Requests that neither bucket covers may use idle slots.",
        ),
        Field(
            name="refuse_outside",
            low=2,
            width=1,
            description="A request outside the tenant's page colours waits while this is set.",
        ),
        Field(name="priority", low=4, width=4, description="0 is highest."),
        count=count,
    )
    build.add(
        "COMMITTED_RATE",
        Access.IMAGE,
        "Refill rate of each committed bucket: the tenant's guarantee on this channel.",
        Field(
            name="committed_rate",
            width=config.rate_width,
            unit=rate_unit,
            description="Guaranteed rate; 0 for best effort.",
        ),
        count=count,
    )
    build.add(
        "COMMITTED_DEPTH",
        Access.IMAGE,
        "Depth of each committed bucket.",
        Field(
            name="committed_depth",
            width=config.depth_width,
            unit="bytes",
            description="Guaranteed rate times burst duration, at least l_max; 0 without a rate.",
        ),
        count=count,
    )
    build.add(
        "PEAK_RATE",
        Access.IMAGE,
        "Refill rate of each peak bucket.",
        Field(
            name="peak_rate",
            width=config.rate_width,
            unit=rate_unit,
            description="Burst rate, at least the committed rate; 0 for idle slots alone.",
        ),
        count=count,
    )
    build.add(
        "PEAK_DEPTH",
        Access.IMAGE,
        "Depth of each peak bucket.",
        Field(
            name="peak_depth",
            width=config.depth_width,
            unit="bytes",
            description=(
                "Burst rate times burst duration, at least l_max and the committed depth; 0 "
                "without a rate."
            ),
        ),
        count=count,
    )
    build.add(
        "INVERSE_WEIGHT",
        Access.IMAGE,
        "Reciprocal of each tenant's weight.",
        Field(
            name="inverse_weight",
            width=config.reciprocal_width,
            unit=f"2**-{config.reciprocal_fraction}",
            description="1/w, over 0 and at most 1.0.",
        ),
        count=count,
    )
    build.add(
        "AGE_LIMIT",
        Access.IMAGE,
        "Age at which a serviceable head goes first.",
        Field(
            name="age_limit",
            width=config.clocks_width,
            unit="clocks",
            description="Limit; 0 switches the guard off.",
        ),
        count=count,
    )
    build.add(
        "LATENCY_SLO",
        Access.IMAGE,
        "Latency objective of a request, from first offer to response.",
        Field(
            name="latency_slo",
            width=config.clocks_width,
            unit="clocks",
            description="Objective; 0 counts no violations.",
        ),
        count=count,
    )
    build.add(
        "COLOURS",
        Access.IMAGE,
        "Page colours of each tenant.",
        Field(
            name="colours",
            width=1 << COLOUR_BITS,
            description="Bit c: its pages may have colour c. At least one.",
        ),
        count=count,
    )


def _monitor(build: _Builder, config: ChannelConfig) -> None:
    count = config.tenants
    build.add(
        "EPOCH",
        Access.READ,
        "Number of the latched epoch, 0 until one has ended; the counters below belong to it.",
        Field(name="epoch", width=32, description="Epochs ended since power-up."),
    )
    build.add(
        "BUSY",
        Access.READ,
        "Clocks in which granted bytes were owed to the pacer or unserved at the port.",
        *_counter("clocks"),
    )
    build.add(
        "STALLED",
        Access.READ,
        "Clocks in which a command waited for memory.",
        *_counter("clocks"),
    )
    build.add(
        "LOAD",
        Access.READ,
        "Present load of the channel.",
        Field(
            name="quarter",
            width=2,
            description="Bytes granted and not yet served, in quarters of the port credit.",
        ),
    )
    build.add(
        "QUEUE",
        Access.READ,
        "Queue of each tenant.",
        Field(name="now", low=0, width=8, unit="requests", description="Present depth."),
        Field(name="peak", low=8, width=8, unit="requests", description="Largest in the epoch."),
        count=count,
    )
    build.add(
        "HELD",
        Access.READ,
        "Clocks in which a head waited because no bucket covered it, or outside its colours.",
        *_counter("clocks"),
        count=count,
    )
    build.add("PROMOTIONS", Access.READ, "Grants by age.", *_counter("grants"), count=count)
    build.add("RESPONSES", Access.READ, "Requests served.", *_counter("requests"), count=count)
    build.add(
        "SLO_VIOLATIONS",
        Access.READ,
        "Requests served later than the latency objective.",
        *_counter("requests"),
        count=count,
    )
    build.add(
        "COLOUR_FAULTS",
        Access.READ,
        "Requests taken outside the tenant's page colours.",
        *_counter("requests"),
        count=count,
    )
    build.add(
        "GRANT_REQUESTS",
        Access.READ,
        "Requests granted: element 8 * tenant + 4 * op + class.",
        *_counter("requests"),
        count=count * GRANT_KINDS,
    )
    build.add(
        "GRANT_BYTES",
        Access.READ,
        "Bytes granted: element 8 * tenant + 4 * op + class.",
        *_counter("bytes"),
        count=count * GRANT_KINDS,
    )
    build.add(
        "LATENCY",
        Access.READ,
        "Latency histogram: element 16 * tenant + bin, from first offer to response.",
        *_counter("requests"),
        count=count * LATENCY_BINS,
    )
