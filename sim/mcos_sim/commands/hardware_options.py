"""Options that say which hardware a command is about; one model for all commands."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from mcos_hw.config import SWITCHES, ChannelConfig
from mcos_sim.errors import UserError

if TYPE_CHECKING:
    from mcos_policy.diagnostics import RuleError
    from mcos_policy.hardware import Hardware

__all__ = [
    "HardwareOptions",
    "with_hardware",
]


_CONTRACTS = "that of [hardware]"

_OPTIONS: dict[str, Any] = {
    "tenants": Annotated[int, typer.Option(help="Tenant tags of the hardware: 4, 8 or 16.")],
    "clock": Annotated[
        str | None,
        typer.Option(
            metavar="FREQUENCY",
            help='Clock of the hardware, such as "100 MHz".',
            show_default=f"{_CONTRACTS}, else {ChannelConfig.clock_khz // 1000} MHz",
        ),
    ],
    "bytes_per_clock": Annotated[
        int | None,
        typer.Option(
            help="Bytes that the channel passes in a clock.",
            show_default=f"{_CONTRACTS}, else {ChannelConfig.bytes_per_clock}",
        ),
    ],
    "beat_bytes": Annotated[
        int | None,
        typer.Option(
            help="Bytes of a beat.", show_default=f"{_CONTRACTS}, else {ChannelConfig.beat_bytes}"
        ),
    ],
    "slots": Annotated[
        int | None,
        typer.Option(
            help="Commands that memory may have at once: 2 to the bits of its IDs.",
            show_default=f"{_CONTRACTS}, else {ChannelConfig.slots}",
        ),
    ],
    "id_width": Annotated[
        int | None,
        typer.Option(
            help="Bits of a requester's own number of a request.",
            show_default=f"{_CONTRACTS}, else {ChannelConfig.id_width}",
        ),
    ],
    "lateness": Annotated[
        int | None,
        typer.Option(
            help="Grants by which eligibility is late; more makes a faster clock possible.",
            show_default=f"{_CONTRACTS}, else {ChannelConfig.lateness}",
        ),
    ],
    "loader_checks": Annotated[
        bool,
        typer.Option(
            "--no-loader-checks", help="Leave out the loader's checks of an image's values."
        ),
    ],
}
"""What typer is told of each option."""

_DEFAULTS = {"tenants": ChannelConfig.tenants, **dict.fromkeys(SWITCHES, False)}


class HardwareOptions:
    """The options as they were given.

    Parameters
    ----------
    tenants : int
        Tags of the hardware.
    given : Any
        Other options by name; None for those that were not given.
    """

    def __init__(self, *, tenants: int = ChannelConfig.tenants, **given: Any) -> None:
        self.tenants = tenants
        self._given = {key: value for key, value in given.items() if value is not None}

    @property
    def default(self) -> ChannelConfig:
        """Sizes that neither an option nor a contract asks for.

        Raises
        ------
        UserError
            If no hardware has that many tags.
        """
        try:
            return ChannelConfig(tenants=self.tenants)
        except ValueError as error:
            raise UserError(f"{error}; the hardware has 4, 8 or 16 tags") from None

    @property
    def sizes(self) -> Hardware:
        """Sizes that are asked for.

        Raises
        ------
        UserError
            If one of them is none that hardware has.
        """
        from mcos_policy.diagnostics import RuleError
        from mcos_policy.hardware import OPTIONS, Hardware
        from mcos_policy.keys import declared

        found: dict[str, Any] = {}
        for key, value in self._given.items():
            try:
                found[key] = declared(Hardware)[key].kind.parse(value)
            except RuleError as broken:
                told = f"{OPTIONS[key]} {broken.rule}, not {value!r}; {_unquoted(broken)}"
                raise UserError(told) from None
        return Hardware(**found)

    def config(self, contract: Path | None = None) -> ChannelConfig:
        """The hardware that is asked for, with or without a contract.

        Parameters
        ----------
        contract : Path or None
            File whose table ``[hardware]`` asks too.

        Raises
        ------
        UserError
            If there is none such.
        ContractError
            If the contract is at fault, or asks for another.
        """
        from mcos_policy.hardware import Hardware, HardwareMismatch, choose_config

        if contract is not None:
            from mcos_policy.compiler import compile_contract

            return compile_contract(contract, self.default, options=self.sizes).config
        try:
            return choose_config(Hardware(), self.sizes, self.default)
        except HardwareMismatch as error:
            raise UserError(str(error)) from None


def _unquoted(rule: RuleError) -> str:
    """A way out of the contract's, for a shell in which nothing is quoted."""
    return rule.way_out.removesuffix(" without quotes").replace(", in quotes", "")


def with_hardware(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of the hardware, in place of its parameter ``hardware``.

    Parameters
    ----------
    command : Callable
        It takes a :class:`HardwareOptions` as ``hardware``.
    """
    hints = get_type_hints(command, include_extras=True)
    parameters = list(inspect.signature(command).parameters.values())
    places = [each.replace(annotation=hints[each.name]) for each in parameters]
    index = next(place for place, each in enumerate(places) if each.name == "hardware")
    places[index : index + 1] = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=_DEFAULTS.get(name),
            annotation=annotation,
        )
        for name, annotation in _OPTIONS.items()
    ]
    places = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in places]

    @functools.wraps(command)
    def taken(**given: Any) -> None:
        sizes = {name: given.pop(name) for name in _OPTIONS}
        # The option of a part says that it is left out.
        sizes |= {name: False if sizes[name] else None for name in SWITCHES}
        command(**given, hardware=HardwareOptions(**sizes))

    taken.__signature__ = inspect.Signature(places)  # ty: ignore[missing-attribute]
    taken.__annotations__ = {each.name: each.annotation for each in places}
    return taken
