"""Generator of FuseSoC: a core as Verilog, by ``mcos verilog``.

Parameters of a ``generate`` section:

``arguments``
    Arguments of ``mcos verilog``, without where to write.
``constraints``
    Name of a target of ``mcos constraints write``; left out, there are no constraints.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import yaml

_HEAD = "CAPI=2:"
_TYPES = {".v": "verilogSource", ".xdc": "xdc", ".sdc": "SDC"}


def main() -> None:
    """Write the sources and a core file that lists them into the working folder."""
    request = yaml.safe_load(Path(sys.argv[1]).read_text(encoding="utf-8"))
    parameters = request.get("parameters", {})
    command = shutil.which("mcos")
    if command is None:
        sys.exit("the generator needs the command mcos on the PATH; activate its environment")
    folder = Path("verilog")
    _run(command, "verilog", *map(str, parameters.get("arguments", ())), "-o", str(folder))
    # The record stands beside the Verilog and is called as it is.
    top = next(folder.glob("*.json")).stem
    names = [folder / f"{top}.v", folder / f"{top}_memories.v"]
    if target := parameters.get("constraints"):
        names.append(Path(f"{top}.xdc"))
        _run(command, "constraints", "write", target, "--core", str(names[0]), "-o", str(names[-1]))
    files = [{str(name): {"file_type": _TYPES[name.suffix]}} for name in names if name.is_file()]
    core = {
        "name": request["vlnv"],
        "filesets": {"core": {"files": files}},
        "targets": {"default": {"filesets": ["core"]}},
    }
    name = request["vlnv"].replace(":", "_")
    text = yaml.safe_dump(core, sort_keys=True)
    Path(f"{name}.core").write_text(f"{_HEAD}\n{text}", encoding="utf-8")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr.strip() or f"{' '.join(command)} ended with {done.returncode}")


if __name__ == "__main__":
    main()
