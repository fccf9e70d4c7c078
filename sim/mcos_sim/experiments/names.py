"""Tenants of a workload and tenants of a contract."""

from mcos_policy.compiler import Compiled
from mcos_sim.errors import UserError

__all__ = [
    "require_names",
]


def require_names(compiled: Compiled, tags: dict[str, int]) -> None:
    """Checks that a contract gives each name its tag.

    Raises
    ------
    UserError
        If it does not.
    """
    given = compiled.contract.tags()
    named = {tenant.name: given[place] for place, tenant in compiled.contract.tenants.items()}
    for name, tag in tags.items():
        if named.get(name) != tag:
            found = f"gives it tag {named[name]}" if name in named else "has none of that name"
            raise UserError(
                f"this workload needs tenant {name!r} with tag {tag}, and the contract {found}; "
                "start from the sample contract decode-prefill"
            )
