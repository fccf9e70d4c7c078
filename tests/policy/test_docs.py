"""The pages about contracts and images name what the code knows, and nothing else."""

import enum
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import channel_map
from mcos_hw.registers.image import HeaderWord, ImageCode, ImageState
from mcos_policy.compiler import compile_contract
from mcos_policy.contract import TABLES
from mcos_policy.diagnostics import ContractError
from mcos_policy.hardware import OPTIONS
from mcos_policy.keys import Table, key_rows
from mcos_policy.samples import SAMPLES
from mcos_policy.units import DURATION, FREQUENCY, POWER, RATE, SIZE

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "contract.md"
CONTRACT = PAGE.read_text(encoding="utf-8")
IMAGE = (ROOT / "docs" / "image.md").read_text(encoding="utf-8")


def _lines(table: str) -> list[str]:
    """Rows of the table of keys under the heading of a contract's table."""
    section = CONTRACT.split(f"### `{table}`\n")[1].split("\n#")[0]
    return [line for line in section.splitlines() if line.startswith("| `")]


def _rows(table: str) -> list[list[str]]:
    """The same as cells."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in _lines(table)]


@pytest.mark.parametrize(("table", "model"), TABLES.items(), ids=list(TABLES))
def test_documented_keys_are_those_declared(
    table: str, model: type[Table], update_golden: bool
) -> None:
    documented, rows = _lines(table), key_rows(model)
    if update_golden and documented != rows:
        old, new = ("\n".join(lines) for lines in (documented, rows))
        text = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(text.replace(old, new), encoding="utf-8")
    assert documented == rows, "to accept: pytest tests/policy --update-golden"


def test_documented_defaults_are_the_defaults(
    base: str, contract_file: Callable[[str], Path]
) -> None:
    written = {"[hardware]": "", "[fabric]": "", "[tenant.bandwidth]": ""}
    for table in written:
        for key, _, default, _ in _rows(table):
            if default.startswith("`"):
                written[table] += f"{key.strip('`')} = {default.strip('`')}\n"
    assert [text.count("\n") for text in written.values()] == [len(OPTIONS), 7, 3]
    text = f"[hardware]\n{base}"
    for table, lines in written.items():
        text = text.replace(f"{table}\n", f"{table}\n{lines}")
    implicit = compile_contract(contract_file(base), ChannelConfig())
    explicit = compile_contract(contract_file(text), ChannelConfig())
    assert explicit.settings == implicit.settings
    assert explicit.config == implicit.config


def test_documented_units_are_the_units() -> None:
    kinds = {
        "rate": RATE,
        "size": SIZE,
        "duration": DURATION,
        "power": POWER,
        "frequency": FREQUENCY,
    }
    for name, quantity in kinds.items():
        (cell,) = re.findall(rf"^\| {name} \| (.*) \|$", CONTRACT, re.MULTILINE)
        assert cell.split(", ") == list(quantity.units)


def test_the_sample_is_the_beginning_of_the_contract() -> None:
    sample, hardware, _ = re.findall(r"```toml\n(.*?)```", CONTRACT, re.DOTALL)
    fpga = tomllib.loads(SAMPLES["fpga"].read_text(encoding="utf-8"))
    assert tomllib.loads(hardware)["hardware"].items() <= fpga["hardware"].items()
    shown = tomllib.loads(sample)
    whole = tomllib.loads(SAMPLES["decode-prefill"].read_text(encoding="utf-8"))
    assert shown["fabric"] == whole["fabric"]
    assert shown["memory"] == whole["memory"]
    assert shown["tenant"] == whole["tenant"][: len(shown["tenant"])]


def test_the_best_effort_tenant_shown_compiles(
    base: str, contract_file: Callable[[str], Path]
) -> None:
    *_, shown = re.findall(r"```toml\n(.*?)```", CONTRACT, re.DOTALL)
    compiled = compile_contract(contract_file(base + shown), ChannelConfig())
    assert compiled.contract.tenants[2].bandwidth.best_effort


def test_the_error_shown_is_the_error_given(
    base: str, contract_file: Callable[[str], Path]
) -> None:
    (shown,) = re.findall(r"^contract\.toml:\d+:\d+: (error: .*)$", CONTRACT, re.MULTILINE)
    faulty = base.replace('"40 GB/s"', '"80 GB/s"').replace('"400 GB/s"', '"40 GB/s"')
    with pytest.raises(ContractError, match=re.escape(shown)):
        compile_contract(contract_file(faulty), ChannelConfig())


def test_the_program_shown_compiles_and_its_message_is_the_one_given() -> None:
    (program,) = re.findall(r"```python\n(.*?)```", CONTRACT, re.DOTALL)
    (shown,) = re.findall(r"^order 7:.*$", CONTRACT, re.MULTILINE)
    exec(compile(program, "contract.md", "exec"), {})
    with pytest.raises(ContractError) as caught:
        exec(compile(program.replace('"80 GB/s"', '"30 GB/s"'), "contract.md", "exec"), {})
    assert str(caught.value) == shown


@pytest.mark.parametrize("codes", [ImageState, ImageCode])
def test_documented_codes_are_the_codes(codes: type[enum.IntEnum]) -> None:
    heading = "state" if codes is ImageState else "code"
    table = IMAGE.split(f"| {heading} | |")[1].split("\n\n")[0]
    documented = re.findall(r"^\| (\d+) \| `(\w+)` \|", table, re.MULTILINE)
    assert documented == [(str(code.value), code.name) for code in codes]


def test_documented_header_is_the_header() -> None:
    table = IMAGE.split("| word | name | value |")[1].split("\n\n")[0]
    documented = re.findall(r"^\| (\d) \| `(\w+)` \|", table, re.MULTILINE)
    assert documented == [(str(word.value), word.name) for word in HeaderWord]


def test_documented_bytes_are_those_of_an_image() -> None:
    rows = re.findall(r"^0x(\w+)  ((?:[0-9a-f]{2} ){16})", IMAGE, re.MULTILINE)
    assert [int(offset, 16) for offset, _ in rows] == list(range(0, 16 * len(rows), 16)) != []
    golden = (Path(__file__).parent / "golden" / "decode-prefill.img.hex").read_text()
    words = [int(line.split()[0], 16) for line in golden.splitlines() if line[0] != "/"]
    content = b"".join(word.to_bytes(4, "little") for word in words)
    assert content.startswith(bytes.fromhex("".join(row for _, row in rows)))


def test_documented_lengths_are_the_lengths() -> None:
    lengths = [channel_map(ChannelConfig(tenants=tenants)).image_length for tenants in (4, 8, 16)]
    assert "{}, {} or {} for 4, 8 or 16 tenants".format(*lengths) in IMAGE
