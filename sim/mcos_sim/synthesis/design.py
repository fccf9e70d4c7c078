"""The design that is measured: the whole channel with registers, loader and monitors."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from amaranth.back import rtlil
from amaranth.lib import wiring

from mcos_hw.config import ChannelConfig
from mcos_hw.targets.generic import TOP, GenericTop
from mcos_sim.synthesis.cache import Cache
from mcos_sim.synthesis.harness import ScannedPorts
from mcos_sim.synthesis.netlist import Netlist
from mcos_sim.synthesis.tool import run_yosys, versions

__all__ = [
    "SCANNED",
    "Design",
]


SCANNED = "scanned"
"""Name of the top module of the design with its ports on scan chains."""

_FLATTEN = (
    "read_rtlil design.il",
    f"hierarchy -top {TOP}",
    # A table of constants is gates, no memory: a macro of it would want a clock.
    "proc -norom",
    "flatten",
    # A register's value before reset matters to no target: every one is reset or never read early.
    "setattr -unset init w:*",
    "opt",
    "wreduce",
    "peepopt",
    "opt_clean",
    "opt -fast",
    # Not memory -nomap, which takes registers behind a memory for a part of it.
    "opt_mem",
    "opt_mem_priority",
    "opt_mem_feedback",
    "memory_collect",
    "opt_clean",
    "write_json words.json",
)
"""From modules to one flat netlist of words: adders, comparators, registers, memories.

Without ``opt -full`` and ``share``, which put selections before adders to save one of these.
"""


class Design:
    """One size of the channel, for the tools.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.
    cache : Cache
        Where steps are kept.
    component : wiring.Component or None
        What to elaborate; by default the generic target for ``config``.
    """

    def __init__(
        self, config: ChannelConfig, *, cache: Cache, component: wiring.Component | None = None
    ) -> None:
        self.config = config
        self.cache = cache
        self._component = component
        self.rtlil = rtlil.convert(component or GenericTop(config), name=TOP, emit_src=False)
        self._netlist: Netlist | None = None

    @property
    def inputs(self) -> Mapping[str, Any]:
        """What every step depends on."""
        return {"rtlil": sha256(self.rtlil.encode()).hexdigest(), "tools": versions()}

    def scanned(self) -> str:
        """RTLIL of the design with its ports on scan chains; its hierarchy is below ``mcos``."""
        component = self._component or GenericTop(self.config)
        return rtlil.convert(ScannedPorts(component, name=TOP), name=SCANNED, emit_src=False)

    @property
    def words(self) -> Path:
        """The flat netlist of words, Yosys's JSON."""
        inputs = {**self.inputs, "passes": _FLATTEN}

        def make(folder: Path) -> Mapping[str, Any]:
            (folder / "design.il").write_text(self.rtlil, encoding="utf-8")
            run_yosys(_FLATTEN, directory=folder, name="flatten")
            return {}

        self.cache.step("words", inputs, make, files=["words.json"])
        return self.cache.folder("words", inputs) / "words.json"

    @property
    def netlist(self) -> Netlist:
        """The same, to look things up in."""
        if self._netlist is None:
            self._netlist = Netlist.read(self.words)
        return self._netlist
