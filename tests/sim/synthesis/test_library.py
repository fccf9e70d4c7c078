"""Liberty files before use."""

import gzip

import pytest

from mcos_sim.errors import UserError
from mcos_sim.synthesis import library

TEXT = """library (small) {
  cell (INVx1) {
    area : 0.5;
    pg_pin (VDD) {
      pg_type : primary_power;
    }
    leakage_power () {
      value : 3;
    }
    pin (Y) {
      timing () {
        cell_rise (t) {
          values ("1");
        }
      }
      internal_power () {
        rise_power (t) {
          values ("2");
        }
      }
    }
  }
  cell (DFFx1) {
    area : 2.25;
  }
}
"""


def test_power_is_left_out():
    found = library.timing_only(TEXT)
    assert "power" not in found
    assert 'cell_rise (t) {\n          values ("1");' in found
    assert found.count("{") == found.count("}")


def test_areas_of_cells():
    assert library.cell_areas(TEXT) == {"INVx1": 0.5, "DFFx1": 2.25}


def test_library_is_found_and_unpacked(tmp_path, monkeypatch):
    folder = tmp_path / "shared" / "pdk" / "asap7"
    folder.mkdir(parents=True)
    monkeypatch.setenv("MCOS_SHARED", str(tmp_path / "shared"))
    with pytest.raises(UserError, match=r"must hold one file AO_RVT_SS_\*.lib.gz, not 0; complete"):
        library.find_library()
    for kind in ("AO", "INVBUF", "OA", "SEQ", "SIMPLE"):
        with gzip.open(folder / f"{kind}_RVT_SS_nldm_1.lib.gz", "wt") as file:
            file.write(TEXT)
    found = library.find_library()
    assert found is not None
    files = library.unpack(found, tmp_path / "build")
    assert files["SEQ"].name == "SEQ_RVT_SS_nldm_1.lib"
    assert files["SEQ"].read_text() == library.timing_only(TEXT)


def test_absent_library_is_none(tmp_path, monkeypatch):
    monkeypatch.setenv("MCOS_SHARED", str(tmp_path))
    assert library.find_library() is None
