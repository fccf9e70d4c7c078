"""A constraint file of any format against the Verilog that it constrains."""

from pathlib import Path

from mcos_sim.constraints.core import read_core
from mcos_sim.constraints.finding import Finding
from mcos_sim.constraints.lpf_rules import check_lpf
from mcos_sim.constraints.nextpnr import has_nextpnr, read_by_nextpnr
from mcos_sim.constraints.target import DATA, read_target
from mcos_sim.constraints.tcl_rules import check_tcl
from mcos_sim.constraints.write import record_of
from mcos_sim.errors import UserError

__all__ = ["check_file"]


_CHECKS = {".sdc": check_tcl, ".xdc": check_tcl, ".lpf": check_lpf}


def check_file(path: Path, verilog: Path) -> list[Finding]:
    """Check a constraint file of any format against emitted Verilog.

    An LPF file without a mistake in the folder of a target is read by nextpnr too, if installed.

    Parameters
    ----------
    path : Path
        The file; its suffix is its format.
    verilog : Path
        The Verilog; if its record is beside it, the period must be that of the record.

    Raises
    ------
    UserError
        If a file cannot be read, or the format is not known.
    """
    if path.suffix not in _CHECKS:
        raise UserError(
            f"a constraint file must end in one of {', '.join(_CHECKS)}, not {str(path)!r}; "
            "choose one"
        )
    recorded = verilog.with_suffix(".json").is_file()
    period_ns = record_of(verilog).period_ns if recorded else None
    core = read_core(verilog)
    findings = _CHECKS[path.suffix](path, core, period_ns=period_ns)
    device = _device(path)
    if path.suffix == ".lpf" and not findings and device is not None and has_nextpnr():
        return read_by_nextpnr(path, core, device)
    return findings


def _device(path: Path) -> str | None:
    """The device of the target in whose folder a file is; None for another file."""
    if not path.with_name(DATA).is_file():
        return None
    target = read_target(path.resolve().parent.name, path.resolve().parents[1])
    return None if target.check() else target.device
