"""Contract in, image out: the passes in order."""

import dataclasses
from pathlib import Path

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import channel_map
from mcos_hw.registers.image import ImageCode
from mcos_policy.admission import admit
from mcos_policy.advice import check_objectives
from mcos_policy.contract import Contract, validate
from mcos_policy.diagnostics import ContractError, Diagnostic, Severity, error, printable
from mcos_policy.document import Document
from mcos_policy.hardware import Hardware, HardwareMismatch, choose_config
from mcos_policy.image import Image, encode, verify
from mcos_policy.notes import notes
from mcos_policy.objectives import Objective, judge
from mcos_policy.plain import contract_document
from mcos_policy.quantize import quantize
from mcos_policy.samples import SAMPLES
from mcos_policy.settings import Settings
from mcos_policy.source import read_source

__all__ = [
    "Compiled",
    "Examination",
    "compile_contract",
    "compile_examined",
    "examine",
]


_NO_OPTIONS = Hardware()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Examination:
    """What was found in a contract, before anything is made of it.

    Parameters
    ----------
    contract : Contract or None
        What was promised; None where a key is at fault, so that it cannot be known.
    config : ChannelConfig
        The hardware it was examined for.
    origin : dict[str, str]
        ``name`` and ``sha256`` of what the contract was read from.
    diagnostics : tuple[Diagnostic, ...]
        Errors and warnings.
    objectives : dict[int, Objective]
        Bound and objective of each tenant by position; empty if the contract is not admitted.
    """

    contract: Contract | None
    config: ChannelConfig
    origin: dict[str, str]
    diagnostics: tuple[Diagnostic, ...]
    objectives: dict[int, Objective]

    @property
    def admitted(self) -> bool:
        """Whether the hardware can keep the contract."""
        return self.contract is not None and not any(
            each.severity is Severity.ERROR for each in self.diagnostics
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Compiled:
    """A compiled contract.

    Parameters
    ----------
    contract : Contract
        What was promised.
    config : ChannelConfig
        The hardware it was compiled for.
    settings : Settings
        Register values of each channel.
    image : Image
        The same as words.
    origin : dict[str, str]
        ``name`` and ``sha256`` of what the contract was read from.
    warnings : tuple[Diagnostic, ...]
        What may not hold, although it compiles.
    notes : tuple[Diagnostic, ...]
        What a reader may take for granted and should not.
    objectives : dict[int, Objective]
        Bound and objective of each tenant, by position.
    """

    contract: Contract
    config: ChannelConfig
    settings: Settings
    image: Image
    origin: dict[str, str]
    warnings: tuple[Diagnostic, ...]
    notes: tuple[Diagnostic, ...]
    objectives: dict[int, Objective]

    @property
    def admitted(self) -> bool:
        """Whether the hardware can keep the contract: it was compiled."""
        return True

    @property
    def names(self) -> dict[int, str]:
        """Name of each tenant by tag."""
        tags = self.contract.tags()
        return {tags[key]: tenant.name for key, tenant in self.contract.tenants.items()}

    @property
    def colours(self) -> dict[int, int]:
        """Page colours of each tenant by tag, a bit for each colour of the contract."""
        everything = (1 << self.contract.memory.colours) - 1
        tags = self.contract.tags().values()
        return {tag: self.settings.tenants[tag].colours & everything for tag in tags}


def examine(
    given: str | Path | Document | Contract,
    default: ChannelConfig,
    *,
    options: Hardware = _NO_OPTIONS,
) -> Examination:
    """Check a contract against the hardware that it is for.

    Parameters
    ----------
    given : str, Path, Document or Contract
        A TOML file, what another front end made, or the contract itself as a program built it.
    default : ChannelConfig
        Sizes that neither the contract nor the options ask for.
    options : Hardware
        Sizes that are asked for beside the contract.

    Raises
    ------
    ContractError
        If a file cannot be read as tables.
    """
    document = _document(given)
    contract, diagnostics = validate(document)
    whole = not diagnostics
    config, objectives = default, {}
    if contract is not None:
        try:
            config = choose_config(contract.hardware, options, default)
        except HardwareMismatch as mismatch:
            hardware = contract.hardware
            diagnostics += [
                error(hardware.at(key).origin, text) for key, text in mismatch.faults.items()
            ]
            contract = None
    if contract is not None:
        diagnostics = diagnostics + admit(contract, config)
        if not any(each.severity is Severity.ERROR for each in diagnostics):
            objectives = judge(contract, config)
            diagnostics += check_objectives(contract, config, objectives)
    # The name goes into comments of generated files, which a line break would end.
    origin = {"name": printable(Path(document.name).name), "sha256": document.sha256}
    return Examination(
        contract=contract if whole else None,
        config=config,
        origin=origin,
        diagnostics=tuple(diagnostics),
        objectives=objectives,
    )


def _document(given: str | Path | Document | Contract) -> Document:
    if isinstance(given, Document):
        return given
    if isinstance(given, Contract):
        return contract_document(given)
    return read_source(given, samples=SAMPLES)


def compile_contract(
    given: str | Path | Document | Contract,
    default: ChannelConfig,
    *,
    options: Hardware = _NO_OPTIONS,
) -> Compiled:
    """Compile a contract for the hardware that it is for; see :func:`examine`.

    Raises
    ------
    ContractError
        If the contract is at fault; it carries everything that was found.
    """
    return compile_examined(examine(given, default, options=options))


def compile_examined(examined: Examination) -> Compiled:
    """Compile what was examined.

    The image's label is the first 32 bits of the SHA-256 of what the contract was read from.

    Raises
    ------
    ContractError
        If the contract is at fault; it carries everything that was found.
    """
    contract, config = examined.contract, examined.config
    if contract is None or not examined.admitted:
        raise ContractError(examined.diagnostics)
    waits = {
        position: each.wait.total
        for position, each in examined.objectives.items()
        if each.wait is not None
    }
    settings = quantize(contract, config, waits=waits)
    origin = examined.origin
    image = encode(config, channel_map(config), settings, int(origin["sha256"][:8], 16))
    code = verify(image.words, config)
    assert code is ImageCode.NONE, f"an admitted contract gave an image refused as {code.name}"
    return Compiled(
        contract=contract,
        config=config,
        settings=settings,
        image=image,
        origin=origin,
        warnings=examined.diagnostics,
        notes=tuple(notes(contract, config)),
        objectives=examined.objectives,
    )
