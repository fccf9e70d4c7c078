"""The programs and the command of docs/client.md."""

import re
import subprocess
from pathlib import Path
from unittest import mock

import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import channel_map, channels_map
from mcos_hw.registers.client import c_client
from mcos_hw.registers.export import c_header, c_name
from tests.sim.commands.command_line import run_command

PAGE = (Path(__file__).parents[2] / "docs" / "client.md").read_text(encoding="utf-8")


@pytest.mark.cocotb
def test_the_program_prints_what_the_page_shows(capsys):
    program, shown = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE, re.DOTALL)[0]
    exec(compile(program, "client.md", "exec"), {})
    assert capsys.readouterr().out == shown


@pytest.mark.cocotb
def test_the_command_prints_what_the_page_shows(capsys):
    ((line, shown),) = re.findall(r"```console\n\$ mcos (.*)\n((?:.*\n)*?)```", PAGE)
    command, tenant, *patterns = re.split(r" 2> /dev/null \| grep | \| grep -e | -e ", line)
    assert run_command(*command.split()) == 0
    printed = capsys.readouterr().out.splitlines()
    assert shown.splitlines() == [
        each for each in printed if tenant in each and any(name in each for name in patterns)
    ]


def test_the_line_for_hardware_is_a_transport():
    (line,) = re.findall(r"```python\n(transport = .*)\n```", PAGE)
    found = {}

    def mapped(path: str, *, length: int) -> None:
        found[path] = length

    exec(line, {"MappedFile": mapped})
    registers = channel_map(ChannelConfig())
    assert list(found.values()) == [1 << registers.address_width]


def test_an_owner_maps_its_window():
    (program,) = re.findall(r"```python\n(client = .*?)```", PAGE, re.DOTALL)
    client, mapped = mock.Mock(), mock.Mock()
    exec(program, {"Client": client, "MappedFile": mapped, "resource": None, "image": None})
    bytes_of_window = 1 << channels_map(ChannelConfig(), 2).map_width
    assert mapped.call_args.kwargs["length"] == bytes_of_window
    assert mapped.call_args.kwargs["offset"] % bytes_of_window == 0
    assert [name for name, *_ in client.return_value.mock_calls] == [
        "guard.claim",
        "load",
        "guard.release",
    ]


def test_the_c_of_the_page_compiles(tmp_path):
    (program,) = re.findall(r"```c\n(.*?)```", PAGE, re.DOTALL)
    config = ChannelConfig(tenants=4)
    name = c_name(config)
    declared = "mcos_result start(void *, const uint32_t *, uint32_t, mcos_metrics *);\n"
    texts = {
        "mcos_registers.h": c_header(channel_map(config), name=name),
        "mcos_client.h": c_client(name=name, header="mcos_registers.h"),
        "program.c": program.replace("static uint32_t read32", f"{declared}static uint32_t read32"),
    }
    for file, text in texts.items():
        (tmp_path / file).write_text(text, encoding="utf-8")
    strict = ["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-c", "program.c"]
    subprocess.run(strict, cwd=tmp_path, check=True)
