"""The settings of one channel, field by field as the register map names them."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import channel_map
from mcos_hw.registers.image import SectionKind

__all__ = [
    "ChannelSettings",
    "Settings",
    "TenantSettings",
]


class _Values:
    """A value for each of some fields of the register map."""

    if TYPE_CHECKING:
        # Names and number of the fields are known only when this module is imported.
        __dataclass_fields__: ClassVar[dict[str, Any]]

        def __init__(self, **values: int) -> None: ...

        def __getattr__(self, name: str) -> int: ...


_Kind = TypeVar("_Kind", bound=_Values)


def _of_section(section: SectionKind) -> Callable[[type[_Kind]], type[_Kind]]:
    """Make a class a dataclass of a section's fields, each with its reset value as the default."""
    # Sizes of the hardware change widths of fields, not which fields there are.
    fields = channel_map(ChannelConfig()).section_fields(section)

    def declare(kind: type[_Kind]) -> type[_Kind]:
        kind.__annotations__ = {field.name: int for field in fields}
        for field in fields:
            setattr(kind, field.name, field.reset)
        return dataclasses.dataclass(frozen=True, kw_only=True)(kind)

    return declare


@_of_section(SectionKind.TENANT)
class TenantSettings(_Values):
    """Settings of one tenant on a channel: an ``int`` for each field of a tenant's section.

    A field that is not given is as after reset, so ``TenantSettings()`` is a tag that nobody has.

    Raises
    ------
    TypeError
        If a name is not that of a field.
    """


@_of_section(SectionKind.CHANNEL)
class ChannelSettings(_Values):
    """Settings of a channel as a whole: an ``int`` for each field of its section.

    A field that is not given is as after reset.

    Raises
    ------
    TypeError
        If a name is not that of a field.
    """


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything an image sets.

    Parameters
    ----------
    channel : ChannelSettings
        Settings of the channel; in a fabric of every channel, unless ``channels`` says otherwise.
    tenants : tuple[TenantSettings, ...]
        Settings of every tag, in order; in a fabric those that it has in every channel.
    channels : tuple[ChannelSettings, ...]
        Settings of each channel, if they are not alike; ``channel`` is the first then.
    fabric : Mapping[str, int] or None
        Values of the fabric's fields, by name; one that is not named is as after reset. With None
        an image leaves the fabric as it is.
    ports : tuple[tuple[int, ...], ...]
        Words of each port's section, :func:`mcos_policy.ports.port_sections`. With none an image
        leaves the ports as they are.
    """

    channel: ChannelSettings
    tenants: tuple[TenantSettings, ...]
    channels: tuple[ChannelSettings, ...] = ()
    fabric: Mapping[str, int] | None = None
    ports: tuple[tuple[int, ...], ...] = ()
