"""The table of measured figures, and that what it says still holds."""

import datetime

import pytest

from mcos_hw.config import ChannelConfig
from mcos_sim.errors import UserError
from mcos_sim.synthesis import figures
from mcos_sim.synthesis.cache import Cache
from mcos_sim.synthesis.design import Design
from mcos_sim.synthesis.result import Measurement, merged
from mcos_sim.synthesis.xilinx import UltraScalePlus

DATE = datetime.date(2026, 12, 1)


def measured(**more):
    row = Measurement(name="ecp5-85k-8", lateness=0, **{"tenants": 8, **more}).row
    return {**row, "design": "channel", "critical_path": "vote -> add"}


def rows_of(*each):
    return figures.recorded([], each, source_hash="0123456789ab", date=DATE)


def test_the_table_is_of_hardware_that_exists():
    rows = figures.read()
    assert merged(rows, []) == rows
    for row in rows:
        ChannelConfig(
            tenants=row["tenants"],
            lateness=row["lateness"],
            grant_interval=row["grant_interval"],
        )
        datetime.date.fromisoformat(row["measured"])
        assert row["luts"] or row["area_um2"]


@pytest.mark.soak
def test_the_table_holds(tmp_path):
    (row,) = [
        row
        for row in figures.read()
        if (row["name"], row["tenants"], row["grant_interval"]) == ("ultrascale+", 4, 8)
    ]
    config = ChannelConfig(tenants=4, lateness=0, grant_interval=8)
    design = Design(config, cache=Cache(tmp_path))
    found = UltraScalePlus().measure(design, paths=1).row
    for kind in ("luts", "ffs", "brams", "dsps"):
        assert found[kind] == pytest.approx(row[kind], rel=0.03, abs=1), kind


def test_a_new_measurement_takes_the_place_of_the_old_one():
    old = rows_of(measured(luts=900), measured(tenants=16, luts=1900))
    new = figures.recorded(
        old,
        [measured(luts=800, fmax_mhz=90.0, more={"seeds": [88.0, None], "fmax_worst_mhz": None})],
        source_hash="ba9876543210",
        date=DATE + datetime.timedelta(days=1),
    )
    assert [(row["tenants"], row["luts"], row["measured"]) for row in new] == [
        (8, 800, "2026-12-02"),
        (16, 1900, "2026-12-01"),
    ]
    assert (new[0]["seeds"], new[0]["source_hash"]) == (2, "ba9876543210")
    assert set(new[0]) <= set(figures.KEYS)


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({}, 3),
        ({"target": "ecp5"}, 3),
        ({"tenants": 8}, 2),
        ({"tenants": 8, "grant_interval": 8}, 1),
    ],
)
def test_rows_are_chosen(wanted, count):
    rows = rows_of(measured(), measured(grant_interval=8), measured(tenants=16))
    assert len(figures.Wanted(**wanted).of(rows)) == count


def test_what_was_not_measured_is_said():
    with pytest.raises(UserError, match=r"not of --tenants 4: there are --target ecp5-85k-8; "):
        figures.Wanted(tenants=4).of(rows_of(measured()))


@pytest.mark.parametrize("text", ["[]", "{", '{"figures": [{"name": 1}]}'])
def test_another_file_is_refused(text, tmp_path):
    path = tmp_path / "figures.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match="must be a table of figures"):
        figures.read(path)
