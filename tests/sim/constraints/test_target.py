"""Targets: their data, and devices that their families have."""

import pytest

from mcos_sim.constraints.device import FAMILIES, device_mistake
from mcos_sim.constraints.target import CONSTRAINTS, DATA, read_target, targets
from mcos_sim.errors import UserError


def test_every_target_can_be_read_and_knows_its_device():
    assert {"asic", "ultrascale_plus"} <= set(targets())
    for name in targets():
        target = read_target(name)
        assert target.check() == []
        for file in target.cores:
            assert (CONSTRAINTS / name / file).is_file()


def test_an_example_of_each_family_is_known():
    for name, family in FAMILIES.items():
        assert device_mistake(name, family.example) is None


@pytest.mark.parametrize(
    ("family", "device", "message"),
    [
        (
            "ecp5",
            "LFE5U-85F-9BG381C",
            "the grade of a device of ecp5 must be one of 6, 7, 8, not 9",
        ),
        ("ecp5", "LFE5U-86F-6BG381C", "the part of a device of ecp5 must be one of LFE5U-12F, "),
        ("ecp5", "LFE5U-85F-6BG382C", "the package of a device of ecp5 must be one of TG144, "),
        ("ultrascale+", "xczu7ev-ffvc1156-4-e", "must be one of 1, 1L, 1LV, 2, 2L, 2LV, 3, not 4"),
        ("ultrascale+", "xczu7ev", "device must be a name of ultrascale+ such as xczu7ev-ffvc1156"),
        ("ice40", "hx8k", "family must be one of ecp5, ultrascale+, not 'ice40'; choose one"),
    ],
)
def test_devices_that_nobody_makes(family, device, message):
    assert message in device_mistake(family, device)


def _copy(tmp_path, old, new):
    text = (CONSTRAINTS / "ultrascale_plus" / DATA).read_text()
    assert old in text
    (tmp_path / "board").mkdir()
    (tmp_path / "board" / DATA).write_text(text.replace(old, new))
    return tmp_path / "board" / DATA


def test_a_wrong_grade_is_found_in_its_line(tmp_path):
    path = _copy(tmp_path, "ffvc1156-2-e", "ffvc1156-5-e")
    (found,) = read_target("board", tmp_path).check()
    assert str(found).startswith(f"{path}:6: device: the grade of a device of ultrascale+ must be ")
    assert str(found).endswith("not 5 of 'xczu7ev-ffvc1156-5-e'; choose one")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"xdc"', '"ucf"', r"\(format must be one of xdc, sdc, lpf, not 'ucf'\)"),
        ("input = 0.5", "input = 1.5", r"\(a delay must be a part of the period, under 1, not 1.5"),
        ("title", "titel", r"\('title'\)"),
        ("format =", "format", "Expected '='"),
    ],
)
def test_data_that_cannot_be_used(old, new, message, tmp_path):
    _copy(tmp_path, old, new)
    with pytest.raises(UserError, match=message):
        read_target("board", tmp_path)


def test_an_unknown_target_lists_the_known():
    with pytest.raises(UserError, match=r"^target must be one of asic, .*, not 'zcu'; choose one$"):
        read_target("zcu")
