"""Images that are live in a waveform, by clock."""

import numpy as np

from mcos_policy.settings import ChannelSettings, Settings, TenantSettings
from mcos_sim.waves.reading import Waveform

__all__ = ["Images"]


_RECENT = 64
"""Clocks before a waveform in which its first image may have become live; then it counts as new."""


class Images:
    """Settings of all images that the waveform goes through, as arrays by image."""

    def __init__(self, waveform: Waveform) -> None:
        images = list(waveform.images)
        if len(waveform.clocks) and images[0][0] > waveform.clocks[0] - _RECENT:
            images.insert(0, (-1, _reset(waveform)))
        self.loaded = len(images) - len(waveform.images)
        """Number of the first image that was loaded; before it is what reset leaves."""
        clocks = np.array([clock for clock, _ in images], dtype=np.int64)
        self.image = np.maximum(
            np.searchsorted(clocks, waveform.clocks, side="right") - 1, 0
        ).astype(np.int64)
        self._settings = [settings for _, settings in images]
        self._shown = np.array([tag in waveform.names for tag in range(waveform.config.tenants)])

    def tenants(self, field: str, scale: int = 1) -> np.ndarray:
        """A field of every tenant, shape (images, tenants); 0 where the waveform has none."""
        rows = [[getattr(each, field) * scale for each in one.tenants] for one in self._settings]
        return np.array(rows, dtype=np.int64) * self._shown

    def channel(self, field: str) -> np.ndarray:
        """A field of the channel, shape (images,)."""
        return np.array([getattr(one.channel, field) for one in self._settings], dtype=np.int64)

    def priorities(self) -> np.ndarray:
        """Priorities that count, shape (images, tenants)."""
        return self.tenants("priority") * self.channel("overcommitted")[:, None]

    def scavenges(self) -> np.ndarray:
        """Whether a tenant is served without tokens, shape (images, tenants)."""

        def of(one: Settings) -> list[bool]:
            return [bool(each.work_conserving or not each.enable) for each in one.tenants]

        return np.array([of(one) for one in self._settings])


def _reset(waveform: Waveform) -> Settings:
    """What is live after reset."""
    return Settings(
        channel=ChannelSettings(), tenants=(TenantSettings(),) * waveform.config.tenants
    )
