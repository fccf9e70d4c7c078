"""A constraint file of any format against the Verilog that it constrains."""

from pathlib import Path

from mcos_sim.constraints.core import read_core
from mcos_sim.constraints.finding import Finding
from mcos_sim.constraints.lpf_rules import check_lpf
from mcos_sim.constraints.tcl_rules import check_tcl
from mcos_sim.constraints.write import record_of
from mcos_sim.errors import UserError

__all__ = ["check_file"]


_CHECKS = {".sdc": check_tcl, ".xdc": check_tcl, ".lpf": check_lpf}


def check_file(path: Path, verilog: Path) -> list[Finding]:
    """Check a constraint file of any format against emitted Verilog.

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
    return _CHECKS[path.suffix](path, read_core(verilog), period_ns=period_ns)
