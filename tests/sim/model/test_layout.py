"""Where the model's values are."""

import dataclasses

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_policy.settings import ChannelSettings, Settings, TenantSettings
from mcos_sim.model import counters, layout, live
from mcos_sim.model.state import image_rows, reset_state


def test_every_field_of_an_image_has_its_place():
    names = [
        field.name
        for kind in (ChannelSettings, TenantSettings)
        for field in dataclasses.fields(kind)
    ]
    assert list(layout.LIVE) == names
    assert [getattr(live, name.upper()) for name in names] == list(layout.LIVE.values())


def test_an_image_has_the_order_of_its_places():
    channel = ChannelSettings(pacer_rate=7)
    tenants = (TenantSettings(enable=1), TenantSettings(colours=5))
    rows = image_rows(Settings(channel=channel, tenants=tenants))
    names = list(layout.LIVE)
    second = layout.CHANNEL_FIELDS + layout.TENANT_FIELDS
    enable, colours = names.index("enable"), names.index("colours") - layout.CHANNEL_FIELDS
    assert dict(enumerate(rows)).items() >= {
        (names.index("pacer_rate"), 7),
        (enable, 1),
        (second + colours, 5),
    }
    assert np.count_nonzero(rows) == 3


@pytest.mark.parametrize(
    ("module", "complaint"),
    [(live, "an image has no field 'colors'"), (counters, "the monitor has no counter 'COLORS'")],
)
def test_a_misspelt_place(module, complaint):
    with pytest.raises(AttributeError, match=complaint):
        module.COLORS  # noqa: B018


def test_there_is_room_for_the_largest_channel(monkeypatch):
    config = ChannelConfig(tenants=16, queue_depth=64, slots=4096)
    state = reset_state(config, ArbiterKind.MCOS)
    assert len(state) == layout.SLOT_TABLE + layout.SLOT_ROW * config.slots
    for name, complaint in (
        ("LANES", "tenants must be at most the model's 8, not 16"),
        ("ROWS", "queue_depth must be at most the model's 8, not 64"),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(layout, name, 8)
            with pytest.raises(ValueError, match=complaint):
                reset_state(config, ArbiterKind.MCOS)
