"""What ``mcos init`` writes: a first contract, its traffic, a Makefile and a list for git."""

import re
from pathlib import Path

from mcos_policy.contract import Contract, Tenant
from mcos_policy.samples import SAMPLES

__all__ = [
    "sample_files",
    "template_files",
]


_FOLDER = Path(__file__).parent

_FILES = {
    "contract.toml": "contract.toml",
    "traffic.toml": "traffic.toml",
    "Makefile": "Makefile",
    ".gitignore": "gitignore",
}
"""Name of each file that is written, and of the template that it comes from."""

_DECODE = """\
pattern = "closed"           # a step of reads, its compute, the next step
window = 16
step = "20 KiB"              # on each channel
think = "100 ns"
request = "128 B"
"""

_PREFILL = """\
pattern = "backlogged"       # a burst that floods everything
window = 1200
request = "128 B"
write_share = 1
start = "7 us"
stop = "135 us"
"""

_STEADY = 'pattern = "steady"           # at its guarantee\n'

_BACKLOGGED = 'pattern = "backlogged"       # for more than it can get\n'


def template_files() -> dict[str, str]:
    """Text of each file by its name, for a contract of one's own."""
    return {name: (_FOLDER / file).read_text("utf-8") for name, file in _FILES.items()}


def sample_files(sample: str, contract: Contract) -> dict[str, str]:
    """Text of each file by its name, beginning from a sample contract.

    Parameters
    ----------
    sample : str
        Name of the sample.
    contract : Contract
        What the sample says.
    """
    files = template_files()
    files["contract.toml"] = SAMPLES[sample].read_text("utf-8")
    head, _, _ = files["traffic.toml"].partition("\n\n")
    tenants = list(contract.tenants.values())
    patterns = [f"[traffic.{tenant.name}]\n{_pattern(tenant)}" for tenant in tenants]
    files["traffic.toml"] = "\n".join([f"{head}\n", *patterns])
    memory = "hbm3" if sample.endswith("-hbm3") else "simple"
    looked_at = next((tenant for tenant in tenants if _promised(tenant)), tenants[0])
    for setting, value in (("MEMORY", memory), ("TENANT", looked_at.name)):
        files["Makefile"] = re.sub(
            rf"(?m)^{setting} \?=.*", f"{setting} ?= {value}", files["Makefile"]
        )
    return files


def _promised(tenant: Tenant) -> bool:
    return tenant.bandwidth.latency_slo is not None and tenant.bandwidth.guaranteed > 0


def _pattern(tenant: Tenant) -> str:
    """What a tenant of a sample asks for: what its name says, or what it was promised."""
    if tenant.name.startswith("decode"):
        return _DECODE
    if tenant.name.startswith("prefill"):
        return _PREFILL
    return _STEADY if _promised(tenant) else _BACKLOGGED
