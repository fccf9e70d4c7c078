"""Finding what was built for a channel without elaborating its hardware, which takes seconds."""

import functools
import hashlib
import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_policy.files import write_text
from mcos_sim.building.store import sound, store

__all__ = [
    "looked_up",
    "sources_hash",
]


@functools.cache
def sources_hash() -> str:
    """Hexadecimal digits that name the sources of all hardware, and of what is built around it."""
    digest = hashlib.sha256()
    for package in (
        "mcos_hw",
        "mcos_sim.building",
        "mcos_sim.cosim",
        "mcos_sim.ported",
        "mcos_sim.verilated",
    ):
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations if spec else None) or ():
            for path in sorted(Path(folder).rglob("*")):
                if path.suffix in {".py", ".cpp", ".vlt"}:
                    digest.update(path.read_bytes())
    return digest.hexdigest()


def looked_up(
    name: str,
    recipe: str,
    config: ChannelConfig,
    arbiter: ArbiterKind,
    build: Callable[[], Path],
    *,
    ports: tuple[tuple[int, ...], ...] = (),
    channels: int = 1,
) -> Path:
    """The folder of the store that was built from these sources, or what ``build`` gives.

    Simulators are filed under their design, so that a comment in the sources does not build them
    again. The index holds the folder that each version of the sources led to.

    Parameters
    ----------
    name : str
        What is built around the channel.
    recipe : str
        Tools and options of the build.
    config : ChannelConfig
        Sizes of the channel.
    arbiter : ArbiterKind
        Its arbiter.
    build : Callable[[], pathlib.Path]
        Elaborates the design and builds it, or finds it in the store.
    ports : tuple[tuple[int, ...], ...]
        Tags at each AXI port; none without AXI.
    channels : int
        How many such channels there are.
    """
    parts = (sources_hash(), recipe, config.hash, arbiter.name, repr(ports), str(channels))
    inputs = "\0".join(parts)
    digest = hashlib.sha256(inputs.encode()).hexdigest()[:16]
    entry = store() / f"{name}-{digest}.index"
    try:
        folder = store() / Path(json.loads(entry.read_bytes())).name
    except (OSError, ValueError, TypeError):
        folder = None
    if folder is None or not sound(folder):
        folder = build()
        write_text(entry, json.dumps(folder.name))
    return folder
