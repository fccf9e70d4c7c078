"""Contract in, image out: the passes in order."""

import dataclasses
import hashlib
from pathlib import Path

from mcos_hw.config import ChannelConfig
from mcos_hw.control.image import ImageCode
from mcos_hw.registers import channel_map
from mcos_policy.admission import admit
from mcos_policy.contract import Contract, validate
from mcos_policy.diagnostics import ContractError, Diagnostic, Severity, printable
from mcos_policy.image import Image, encode, verify
from mcos_policy.notes import notes
from mcos_policy.quantize import quantise
from mcos_policy.samples import SAMPLES
from mcos_policy.settings import Settings
from mcos_policy.source import Source, read_source
from mcos_policy.waits import grant_waits

__all__ = [
    "Compiled",
    "compile_contract",
]


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
        ``name`` and ``sha256`` of the contract file.
    warnings : tuple[Diagnostic, ...]
        What may not hold, although it compiles.
    notes : tuple[Diagnostic, ...]
        What a reader may take for granted and should not.
    """

    contract: Contract
    config: ChannelConfig
    settings: Settings
    image: Image
    origin: dict[str, str]
    warnings: tuple[Diagnostic, ...]
    notes: tuple[Diagnostic, ...] = ()

    @property
    def colours(self) -> dict[int, int]:
        """Page colours of each tenant by tag, a bit for each colour of the contract."""
        everything = (1 << self.contract.memory.colours) - 1
        tags = self.contract.tags().values()
        return {tag: self.settings.tenants[tag].colours & everything for tag in tags}


def compile_contract(path: str | Path, config: ChannelConfig) -> Compiled:
    """Compile a contract file for a channel of the given sizes.

    The image's label is the first 32 bits of the SHA-256 of the file's text.

    Raises
    ------
    ContractError
        If the contract is at fault; it carries everything that was found.
    """
    source = read_source(path, samples=SAMPLES)
    contract, diagnostics = validate(source)
    if contract is not None:
        diagnostics = diagnostics + admit(contract, config, source)
    if contract is None or any(each.severity is Severity.ERROR for each in diagnostics):
        raise ContractError(diagnostics)
    waits = {position: each.total for position, each in grant_waits(contract, config).items()}
    settings = quantise(contract, config, waits=waits)
    origin = _origin(source)
    image = encode(config, channel_map(config), settings, int(origin["sha256"][:8], 16))
    code = verify(image.words, config)
    assert code is ImageCode.NONE, f"an admitted contract gave an image refused as {code.name}"
    return Compiled(
        contract=contract,
        config=config,
        settings=settings,
        image=image,
        origin=origin,
        warnings=tuple(diagnostics),
        notes=tuple(notes(contract, config, source)),
    )


def _origin(source: Source) -> dict[str, str]:
    return {
        # It goes into comments of generated files, which a line break would end.
        "name": printable(Path(source.name).name),
        "sha256": hashlib.sha256(source.text.encode()).hexdigest(),
    }
