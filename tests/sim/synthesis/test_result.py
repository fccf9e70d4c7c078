"""Rows of the result."""

from mcos_sim.synthesis.result import Measurement, merged


def test_row_has_every_key_and_more():
    row = Measurement(
        name="ecp5-85k-8", tenants=8, lateness=0, fmax_mhz=60.5, more={"seeds": [60.5]}
    ).row
    assert row == {
        "name": "ecp5-85k-8",
        "tenants": 8,
        "lateness": 0,
        "grant_interval": 1,
        "fmax_mhz": 60.5,
        "luts": None,
        "ffs": None,
        "brams": None,
        "dsps": None,
        "area_um2": None,
        "critical_path": None,
        "seeds": [60.5],
    }


def test_merged_replaces_and_keeps():
    old = [
        {"name": "a", "tenants": 16, "lateness": 0, "luts": 1},
        {"name": "a", "tenants": 4, "lateness": 0},
    ]
    # A row without an interval is of the line rate.
    new = [{"name": "a", "tenants": 16, "lateness": 0, "grant_interval": 1, "luts": 2}]
    assert merged(old, new) == [old[1], new[0]]
