"""``mcos diff``: what two contracts or images say differently."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mcos_sim.commands.hardware_options import HardwareOptions
from mcos_sim.commands.options import contract_argument, json_option
from mcos_sim.console import output, print_table, require_outputs, tell, write_json
from mcos_sim.errors import ExitCode
from mcos_sim.tables import Column

if TYPE_CHECKING:
    from mcos_policy.diff.change import Change
    from mcos_policy.diff.side import Side

__all__ = [
    "EXAMPLE",
    "command",
]


EXAMPLE = "mcos diff decode-prefill llama-3-8b"

_HELP = "Contract, a sample's name, or an image."


def command(
    before: Annotated[Path, contract_argument(_HELP, metavar="A")],
    after: Annotated[Path, contract_argument(_HELP, metavar="B")],
    json: Annotated[Path | None, json_option("the differences")] = None,
    tenants: Annotated[int, typer.Option(help="Tenant tags of the hardware: 4, 8 or 16.")] = 16,
) -> None:
    """Say in words and units what B has otherwise than A: contracts, images, or one of each.

    Of contracts it also says how shares, bounds and headroom change. A contract beside an
    image is compared as its image. Exits with 0 if nothing differs, 1 if something does, and 2 if
    one of them cannot be used.
    """
    from mcos_policy.diff.contracts import compare_contracts
    from mcos_policy.diff.images import compare_images
    from mcos_policy.diff.side import read_side

    require_outputs([json], inputs=[before, after])
    default = HardwareOptions(tenants=tenants).default
    sides = read_side(before, default=default), read_side(after, default=default)
    # A contract is compiled for the hardware that the image beside it is for.
    of_images = [side.config for side in sides if side.compiled is None]
    if len(of_images) == 1 and of_images[0] != default:
        paths = zip((before, after), sides, strict=True)
        sides = tuple(
            read_side(path, default=of_images[0]) if side.compiled is not None else side
            for path, side in paths
        )
    was, now = sides
    follows: tuple[Change, ...] = ()
    contracts = was.compiled is not None and now.compiled is not None
    if was.compiled is not None and now.compiled is not None:
        difference = compare_contracts(was.compiled, now.compiled)
        changes, follows = difference.changes, difference.consequences
    else:
        changes = compare_images(
            was.settings, now.settings, (was.config, now.config), was.names | now.names
        )
    told_same = (was.config, was.settings) == (now.config, now.settings)
    if json is not None:
        found = {
            "after": _origin(now),
            "before": _origin(was),
            "changes": [each.as_mapping() for each in changes],
            "compared_as": "contracts" if contracts else "images",
            "consequences": [each.as_mapping() for each in follows],
            "equal": not changes,
            "hardware_is_told_the_same": told_same,
        }
        write_json(json, found)
    if not changes:
        tell("No difference in what the hardware is told.")
        return
    if not contracts:
        tell("Rates, bytes and weights are those of one channel.")
    _show("What differs", changes)
    if follows:
        output.print()
        _show("Effect on capacity, shares and bounds", follows)
    if told_same:
        output.print()
        tell("Each channel of the hardware is told the same.")
    raise typer.Exit(ExitCode.FAILED)


def _origin(side: Side) -> dict[str, Any]:
    kind = "image" if side.compiled is None else "contract"
    return {
        "config_hash": side.config.hash,
        "file": side.name,
        "kind": kind,
        "label": f"0x{side.image.label:08x}",
    }


def _show(title: str, changes: Iterable[Change]) -> None:
    print_table(
        title,
        [
            Column(heading="of", name=True),
            Column(heading="what", name=True),
            Column(heading="A"),
            Column(heading="B"),
            Column(heading="change"),
        ],
        [(each.subject, each.key, each.before, each.after, each.words) for each in changes],
        grouped=True,
    )
