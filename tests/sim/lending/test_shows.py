"""What tenants that favour some channels get of their guarantees, on the hardware."""

import json

import pytest

from mcos_sim.lending import shows
from mcos_sim.lending.shows import FIGURES, SHOWS, figures


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"channels": 2}, "channels must be 4 at least, not 2"),
        ({"windows": 3}, "windows must be 4 at least, not 3"),
    ],
)
def test_a_show_has_channels_and_windows_enough(sizes, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        figures(**sizes)


def test_figures_are_set_in_the_file_and_its_other_keys_stay(tmp_path, monkeypatch, capsys):
    row = dict.fromkeys(FIGURES, 0.5)
    asked = []

    def found(channels, windows, *, on_step):
        asked.append((channels, windows))
        return {"channels": channels, "intervals": 300, **dict.fromkeys(SHOWS, row)}

    monkeypatch.setattr(shows, "figures", found)
    path = tmp_path / "fabric.json"
    path.write_text('{"scaling": 1}')
    shows.main(["--channels", "4", "--windows", "6", "--json", str(path)])
    assert asked == [(4, 6)]
    written = json.loads(path.read_text())
    assert written["scaling"] == 1
    assert written["coordinator"]["waking"] == row
    assert "wandering" in capsys.readouterr().out


@pytest.mark.soak
@pytest.mark.parametrize(
    "sizes", [{}, {"channels": 4, "windows": 4, "compact": True}], ids=["line rate", "compact"]
)
def test_everyone_gets_the_guarantee_of_the_whole_fabric(sizes):
    """Eight channels of hardware for 800 intervals; sleeping, waking and wandering included."""
    found = figures(**sizes)
    for name, (_, lends) in SHOWS.items():
        row = found[name]
        least = min(row["of_guarantee"], row["conforming"])
        assert (least >= 0.98) == lends
        assert row["others_of_guarantee"] >= 0.98
        assert row["others_conforming"] >= 0.98
        assert (row["worst_window"] >= 0.97) == lends
    assert found["skewed_of_guarantee"] == found["skewed"]["of_guarantee"]
