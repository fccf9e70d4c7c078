"""Options that say which hardware a command is about."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mcos_hw.config import SWITCHES, ChannelConfig
from mcos_sim.errors import UserError

if TYPE_CHECKING:
    from mcos_policy.diagnostics import RuleError
    from mcos_policy.hardware import Hardware

__all__ = ["HardwareOptions"]


_CONTRACTS = "that of [hardware]"


def _else(default: object) -> str:
    return f"{_CONTRACTS}, else {default}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class HardwareOptions:
    """Sizes of the hardware that options ask for; None where an option was not given."""

    tenants: Annotated[int, typer.Option(help="Tenant tags of the hardware: 4, 8 or 16.")] = (
        ChannelConfig.tenants
    )
    clock: Annotated[
        str | None,
        typer.Option(
            metavar="FREQUENCY",
            help='Clock of the hardware, such as "100 MHz".',
            show_default=_else(f"{ChannelConfig.clock_khz // 1000} MHz"),
        ),
    ] = None
    bytes_per_clock: Annotated[
        int | None,
        typer.Option(
            help="Bytes that the channel passes in a clock.",
            show_default=_else(ChannelConfig.bytes_per_clock),
        ),
    ] = None
    beat_bytes: Annotated[
        int | None,
        typer.Option(help="Bytes of a beat.", show_default=_else(ChannelConfig.beat_bytes)),
    ] = None
    max_beats: Annotated[
        int | None,
        typer.Option(
            help="Beats of the longest request.", show_default=_else(ChannelConfig.max_beats)
        ),
    ] = None
    slots: Annotated[
        int | None,
        typer.Option(
            help="Commands that memory may have at once: 2 to the bits of its IDs.",
            show_default=_else(ChannelConfig.slots),
        ),
    ] = None
    id_width: Annotated[
        int | None,
        typer.Option(
            help="Bits of a requester's own number of a request.",
            show_default=_else(ChannelConfig.id_width),
        ),
    ] = None
    lateness: Annotated[
        int | None,
        typer.Option(
            help="Grants by which eligibility is late; more makes a faster clock possible.",
            show_default=_else(ChannelConfig.lateness),
        ),
    ] = None
    grant_interval: Annotated[
        int | None,
        typer.Option(
            help="Clocks from one grant to the next: 1, or 4 to 8 for the compact channel.",
            show_default=_else(ChannelConfig.grant_interval),
        ),
    ] = None
    no_loader_checks: Annotated[
        bool,
        typer.Option(
            "--no-loader-checks", help="Leave out the loader's checks of an image's values."
        ),
    ] = False
    no_monitors: Annotated[
        bool, typer.Option("--no-monitors", help="Leave out the counters of the channel.")
    ] = False

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

        # The option of a part says that it is left out.
        found: dict[str, Any] = {name: False for name in SWITCHES if getattr(self, f"no_{name}")}
        for key in [each for each in OPTIONS if each not in SWITCHES]:
            value = getattr(self, key)
            if value is None:
                continue
            try:
                found[key] = declared(Hardware)[key].kind.parse(value)
            except RuleError as broken:
                told = f"{OPTIONS[key]} {broken.rule}, not {value!r}; {_unquoted(broken)}"
                raise UserError(told) from None
        return Hardware(**found)

    def config(
        self, contract: Path | None = None, *, default: ChannelConfig | None = None
    ) -> ChannelConfig:
        """The hardware that is asked for, with or without a contract.

        Parameters
        ----------
        contract : Path or None
            File whose table ``[hardware]`` asks too.
        default : ChannelConfig or None
            Sizes that neither asks for; None for :attr:`default`.

        Raises
        ------
        UserError
            If there is none such.
        ContractError
            If the contract is at fault, or asks for another.
        """
        from mcos_policy.hardware import Hardware, HardwareMismatch, choose_config

        default = default or self.default
        if contract is not None:
            from mcos_policy.compiler import compile_contract

            return compile_contract(contract, default, options=self.sizes).config
        try:
            return choose_config(Hardware(), self.sizes, default)
        except HardwareMismatch as error:
            raise UserError(str(error)) from None


def _unquoted(rule: RuleError) -> str:
    """A way out of the contract's, for a shell in which nothing is quoted."""
    return rule.way_out.removesuffix(" without quotes").replace(", in quotes", "")
