"""The fabric in front of the soak: its library, and the register writes that set it up."""

from collections.abc import Sequence

from mcos_hw.config import ChannelConfig, FabricConfig, MemoryProtocol
from mcos_hw.registers import ArbiterKind, fabric_map
from mcos_hw.targets.axi import TOP, AxiTop
from mcos_policy.image import encode
from mcos_policy.ports import TenantRow, row_writes
from mcos_policy.settings import ChannelSettings, Settings, TenantSettings
from mcos_sim.axi.library import Library, Sizes, build_library
from mcos_sim.building.sharing import repeated, shared
from mcos_sim.building.verilator import elaborated, verilog_of

__all__ = [
    "fabric_design",
    "fabric_library",
    "open_settings",
    "set_up",
    "sizes_of",
]


def sizes_of(fabric: FabricConfig) -> Sizes:
    """Widths of the pins of a fabric's top."""
    return Sizes(
        data_bytes=tuple(port.data_bytes for port in fabric.ports),
        id_widths=tuple(port.id_width for port in fabric.ports),
        memories=fabric.channels,
        memory_bytes=fabric.beat_bytes,
        memory_id_width=fabric.channel.slot_width,
        axi3=fabric.memory_protocol is MemoryProtocol.AXI3,
    )


def fabric_design(
    fabric: FabricConfig, *, arbiter: ArbiterKind = ArbiterKind.MCOS
) -> tuple[str, list[str]]:
    """The RTLIL of a fabric with one module for equal channels, and one for equal ports.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.
    arbiter : ArbiterKind
        Who chooses the grants.

    Returns
    -------
    design : str
        Its modules.
    blocks : list[str]
        Those of them that stand for several.
    """
    return repeated(shared(elaborated(AxiTop(fabric, arbiter=arbiter), TOP)), f"{TOP}.fabric")


def fabric_library(
    fabric: FabricConfig,
    *,
    arbiter: ArbiterKind = ArbiterKind.MCOS,
    design: tuple[str, Sequence[str]] | None = None,
) -> Library:
    """Builds the library of a fabric, or finds it.

    Blocks of a fabric with several channels are compiled once.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.
    arbiter : ArbiterKind
        Who chooses the grants.
    design : tuple[str, Sequence[str]] or None
        What :func:`fabric_design` made of them, if it is at hand.

    Raises
    ------
    BuildFailed
        If Verilator warns or fails, or the C++ compiler fails.
    """
    if design is None and fabric.channels > 1:
        design = fabric_design(fabric, arbiter=arbiter)
    text, blocks = design or (elaborated(AxiTop(fabric, arbiter=arbiter), TOP), ())
    return build_library(verilog_of(text), sizes_of(fabric), name=TOP, blocks=blocks)


def open_settings(config: ChannelConfig, *, disabled: Sequence[int] = ()) -> Settings:
    """Settings under which every tenant gets what it asks for, but for those that are disabled.

    All have the same weight and a part of the channel guaranteed; what others leave is shared.
    """
    share = (config.bytes_per_clock << config.rate_fraction) // (2 * config.tenants)
    depth = 4 * config.l_max
    tenants = tuple(
        TenantSettings()
        if tag in disabled
        else TenantSettings(
            enable=1,
            work_conserving=1,
            committed_rate=share,
            committed_depth=depth,
            peak_rate=share,
            peak_depth=depth,
            inverse_weight=1 << config.reciprocal_fraction,
            colours=1,
        )
        for tag in range(config.tenants)
    )
    channel = ChannelSettings(
        pacer_enable=1,
        pacer_rate=config.bytes_per_clock << config.rate_fraction,
        port_credit=min(32, config.slots) * config.l_max,
        inverse_total_weight=(1 << config.total_reciprocal_fraction) // config.tenants,
        promotion_interval=16,
        epoch_clocks=10_000,
    )
    return Settings(channel=channel, tenants=tenants)


def set_up(
    fabric: FabricConfig, rows: Sequence[TenantRow], settings: Settings
) -> list[tuple[int, int]]:
    """Register writes (address, word) that fill the tenant tables and make settings live."""
    words = encode(fabric.channel, fabric_map(fabric), settings, label=1).words
    return image_writes(fabric, words, rows)


def image_writes(
    fabric: FabricConfig, words: Sequence[int], rows: Sequence[TenantRow]
) -> list[tuple[int, int]]:
    """Register writes (address, word) that fill the tenant tables and make an image live."""
    registers = fabric_map(fabric)
    control, data = registers["IMAGE_CONTROL"], registers["IMAGE_DATA"]
    writes = [(control.offset, control.pack(begin=1))]
    writes += [(data.offset, word) for word in words]
    # Between the last word and the commit is more than the time that the image's check takes.
    return [*writes, *row_writes(fabric, rows), (control.offset, control.pack(commit=1))]
