"""What two images tell the hardware differently, by the register map."""

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import channel_map
from mcos_hw.registers.declaration import Field
from mcos_hw.registers.image import SectionKind
from mcos_policy.diff.change import Change, relative, shown_pair
from mcos_policy.settings import ChannelSettings, Settings, TenantSettings
from mcos_policy.units import DURATION, RATE

__all__ = ["compare_images"]


_WITHOUT = {
    "age_limit": "never",
    "latency_slo": "not set",
    "epoch_clocks": "none",
    "depth1_clocks": "never",
}
"""What a limit of 0 clocks says."""

_RATE = re.compile(r"bytes per clock / 2\*\*(\d+)")
_RECIPROCAL = re.compile(r"2\*\*-(\d+)")


def compare_images(
    before: Settings,
    after: Settings,
    configs: tuple[ChannelConfig, ChannelConfig],
    names: Mapping[int, str],
) -> tuple[Change, ...]:
    """Compare what two images set.

    Parameters
    ----------
    before, after : Settings
        What they set.
    configs : tuple[ChannelConfig, ChannelConfig]
        The hardware of each.
    names : Mapping[int, str]
        Names of tenants by tag, as far as they are known.
    """
    changes: list[Change] = []
    if configs[0].tenants != configs[1].tenants:
        tags = [str(config.tenants) for config in configs]
        changes.append(Change(subject="hardware", key="tags", before=tags[0], after=tags[1]))
    clocks = [f"{config.clock_khz / 1000:g} MHz" for config in configs]
    if clocks[0] != clocks[1]:
        changes.append(Change(subject="hardware", key="clock", before=clocks[0], after=clocks[1]))
    registers = channel_map(configs[0])
    for subject, was, now in _channels(before, after):
        for field in registers.section_fields(SectionKind.CHANNEL):
            pair = getattr(was, field.name), getattr(now, field.name)
            changes += _compare(subject, field, pair, configs)
    changes += _fabric(before, after)
    nobody = TenantSettings()
    for tag in range(max(config.tenants for config in configs)):
        was, now = (
            settings.tenants[tag] if tag < len(settings.tenants) else nobody
            for settings in (before, after)
        )
        subject = f"{names[tag]} (tag {tag})" if tag in names else f"tag {tag}"
        if was.enable != now.enable:
            told = [
                _promise(each, config) for each, config in zip((was, now), configs, strict=True)
            ]
            changes.append(Change(subject=subject, key="tenant", before=told[0], after=told[1]))
        elif was.enable:
            for field in registers.section_fields(SectionKind.TENANT):
                pair = getattr(was, field.name), getattr(now, field.name)
                changes += _compare(subject, field, pair, configs)
    return tuple(changes)


def _channels(
    before: Settings, after: Settings
) -> Iterator[tuple[str, ChannelSettings, ChannelSettings]]:
    """Settings of all channels, or of each where they are not alike in one of both."""
    count = max(len(before.channels), len(after.channels))
    if not count:
        yield "channel", before.channel, after.channel
    for number in range(count):
        was, now = (
            settings.channels[number] if number < len(settings.channels) else settings.channel
            for settings in (before, after)
        )
        yield f"channel {number}", was, now


def _fabric(before: Settings, after: Settings) -> Iterator[Change]:
    """What is set in front of the channels; a kind that an image leaves out stays as it is."""
    pairs = (dict(before.fabric or {}), dict(after.fabric or {}))
    for key in pairs[0] | pairs[1]:
        was, now = (_kept(pair.get(key)) for pair in pairs)
        if was != now:
            yield Change(subject="fabric", key=key, before=was, after=now)
    for number in range(max(len(before.ports), len(after.ports))):
        was, now = (
            settings.ports[number] if number < len(settings.ports) else None
            for settings in (before, after)
        )
        if was != now:
            others = zip(was or (), now or (), strict=False)
            count = sum(one != other for one, other in others)
            told = f"{count} words differ" if was and now else "set"
            yield Change(
                subject=f"port {number}",
                key="rows and credits",
                before="left as they are" if was is None else "set",
                after="left as they are" if now is None else told,
            )


def _kept(value: int | None) -> str:
    """A value of the fabric; masks are longer than other numbers."""
    if value is None:
        return "left as it is"
    return str(value) if value < 1 << 10 else f"{value:#x}"


def _promise(tenant: TenantSettings, config: ChannelConfig) -> str:
    if not tenant.enable:
        return "disabled"
    if not tenant.committed_rate:
        return "best effort"
    rate = Fraction(tenant.committed_rate, 1 << config.rate_fraction) * config.clock_khz * 1000
    return f"committed {RATE.show(rate)}"


def _compare(
    subject: str,
    field: Field,
    values: tuple[int, int],
    configs: tuple[ChannelConfig, ChannelConfig],
) -> Iterator[Change]:
    hertz = [config.clock_khz * 1000 for config in configs]
    unit = field.unit or ""
    numbers = Fraction(values[0]), Fraction(values[1])
    if rate := _RATE.fullmatch(unit):
        numbers = _each(numbers, [Fraction(each, 1 << int(rate[1])) for each in hertz])
        told = shown_pair(RATE, *numbers)
    elif unit == "clocks":
        numbers = _each(numbers, [Fraction(1, each) for each in hertz])
        told = shown_pair(DURATION, *numbers)
        without = _WITHOUT.get(field.name, told[0])
        told = (told[0] if values[0] else without, told[1] if values[1] else without)
    elif reciprocal := _RECIPROCAL.fullmatch(unit):
        one = 1 << int(reciprocal[1])
        numbers = Fraction(one, values[0]), Fraction(one, values[1])
        told = _weights(*numbers)
    elif unit == "bytes":
        told = f"{values[0]:,} B", f"{values[1]:,} B"
    elif field.width == 1:
        told = ("off", "on")[values[0]], ("off", "on")[values[1]]
    elif field.name == "colours":
        told = f"{values[0]:#x}", f"{values[1]:#x}"
    else:
        told = str(values[0]), str(values[1])
    if numbers[0] != numbers[1] or told[0] != told[1]:
        by = relative(*numbers) if unit else None
        yield Change(
            subject=subject,
            key=_KEYS.get(field.name, field.name),
            before=told[0],
            after=told[1],
            by=by,
        )


_KEYS = {
    "inverse_weight": "weight",
    "inverse_total_weight": "sum of weights",
    "epoch_clocks": "epoch",
    "depth1_clocks": "depth1",
}
"""What fields are called that are shown as something else than they are."""


def _each(numbers: tuple[Fraction, Fraction], units: list[Fraction]) -> tuple[Fraction, Fraction]:
    return numbers[0] * units[0], numbers[1] * units[1]


def _weights(before: Fraction, after: Fraction) -> tuple[str, str]:
    """Two weights to six digits, or to all where they would look the same."""
    told = f"{float(before):.6g}", f"{float(after):.6g}"
    if told[0] == told[1] and before != after:
        return f"{float(before):.12g}", f"{float(after):.12g}"
    return told
