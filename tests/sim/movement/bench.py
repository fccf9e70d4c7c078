# amaranth: UnusedElaboratable=no
"""A small fabric with movement engines between a manager and two memories, as Verilog."""

from pathlib import Path

from mcos_hw.config import ChannelConfig, FabricConfig, MovementConfig, PortConfig
from mcos_hw.fabric.moving import MovingFabric
from mcos_hw.registers import ArbiterKind
from mcos_hw.targets.flat import FlatTop
from mcos_sim.building.index import looked_up
from mcos_sim.building.sharing import shared
from mcos_sim.building.verilator import elaborated, verilog_of
from mcos_sim.cosim.build import Built, build_verilog, recipe
from mcos_sim.cosim.run_tests import run

__all__ = [
    "BASES",
    "FABRIC",
    "GRAIN",
    "MOVEMENT",
    "regress",
]


NAME = "mcos_moving"


def _port(*, inner: bool = False) -> PortConfig:
    return PortConfig(
        data_bytes=8,
        id_width=3,
        order_width=3,
        reads=8,
        writes=8,
        read_units=32,
        write_units=32,
        table_rows=2,
        hazard_rows=8,
        inner=inner,
    )


# What the channels count and what the loader judges have their own tests.
FABRIC = FabricConfig.around(
    ChannelConfig(
        tenants=4,
        queue_depth=8,
        bytes_per_clock=8,
        beat_bytes=8,
        max_beats=8,
        address_width=32,
        slots=16,
        stamp_width=24,
        lateness=0,
        loader_checks=False,
        monitors=False,
    ),
    channels=2,
    ports=(_port(), _port(inner=True)),
)

MOVEMENT = MovementConfig(
    frame_bytes=1024, jobs=4, rows=4, table_rows=4, parked=4, frames=(0, 8, 8)
)

GRAIN = 7
"""Of the interleave: 8 KiB, the frames of a tier. So tier 1 is channel 0 and tier 2 channel 1."""

BASES = (0, 0, 0x2000)
"""Address of frame 0 of each tier."""

# It runs for some thousand clocks, driven by Python: what compiles soon is best.
_ARGUMENTS = ("-CFLAGS", "-O0")


def _built() -> Built:
    """The simulator, built or found."""
    top = FlatTop(MovingFabric(FABRIC, MOVEMENT), FABRIC.channel, name="moving")
    visible = "\n".join(
        [
            "`verilator_config",
            # The first and the last beat of a block are compared with what no beat is beyond.
            "lint_off -rule CMPCONST",
            "lint_off -rule UNSIGNED",
            *(
                f'public_flat_rw -module "{NAME}" -var "{name}"'
                for name in ("clk", "rst", *top.signature.members)
            ),
            "",
        ]
    )
    inputs = recipe(visible, repr(MOVEMENT), *_ARGUMENTS)

    def make() -> Path:
        design = shared(elaborated(top, NAME))
        return build_verilog(
            lambda: verilog_of(design),
            name=NAME,
            visible=visible,
            digest=recipe(design, inputs),
            arguments=_ARGUMENTS,
        ).directory

    folder = looked_up(NAME, inputs, FABRIC, ArbiterKind.MCOS, make)
    return Built(name=NAME, directory=folder)


def regress(directory: Path, *, seed: int = 1, **parameters: object) -> None:
    """Runs every cocotb test of :mod:`tests.sim.movement.regress`; raises unless all pass."""
    run(
        _built(),
        test_module="tests.sim.movement.regress",
        directory=directory,
        seed=seed,
        parameters=parameters,
        timeout=300,
    )
