"""Differences between two contracts, and their effect on each tenant."""

import dataclasses
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from mcos_policy.compiler import Compiled
from mcos_policy.contract import Bandwidth, Fabric, Memory, Placement, Tenant
from mcos_policy.diff.change import Change, relative, shown_pair
from mcos_policy.explain import Explanation, TenantExplanation, explain
from mcos_policy.hardware import Hardware
from mcos_policy.keys import Declared, Table, declared
from mcos_policy.kinds import Kind
from mcos_policy.units import RATE

__all__ = [
    "ContractDifference",
    "compare_contracts",
]


_NOT_SET = "not set"
_NOBODY = "-"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ContractDifference:
    """How two contracts differ.

    Parameters
    ----------
    changes : tuple[Change, ...]
        What is written differently: tables first, then tenants in the order of the second contract,
        then those that only the first one has.
    consequences : tuple[Change, ...]
        Their effect on capacity, headroom, and each tenant's share, bound and verdict.
    """

    changes: tuple[Change, ...]
    consequences: tuple[Change, ...]


def compare_contracts(before: Compiled, after: Compiled) -> ContractDifference:
    """Compare two compiled contracts. Tenants are the same by name, else by tag."""
    earlier, later = before.contract, after.contract
    changes = [
        *_table("[hardware]", Hardware, earlier.hardware, later.hardware),
        *_table("[fabric]", Fabric, earlier.fabric, later.fabric),
        *_table("[memory]", Memory, earlier.memory, later.memory),
    ]
    pairs = _pairs(before, after)
    for old, new in pairs:
        changes += _tenant(before, after, old, new)
    consequences = list(_consequences(explain(before), explain(after), before, after, pairs))
    return ContractDifference(changes=tuple(changes), consequences=tuple(consequences))


def _pairs(before: Compiled, after: Compiled) -> list[tuple[int | None, int | None]]:
    """Positions of each tenant in both contracts: by name, then what is left by tag."""
    earlier = {tenant.name: key for key, tenant in before.contract.tenants.items()}
    later = {tenant.name: key for key, tenant in after.contract.tenants.items()}
    gone = {before.contract.tags()[key]: key for name, key in earlier.items() if name not in later}
    tags = after.contract.tags()
    pairs: list[tuple[int | None, int | None]] = []
    for name, key in later.items():
        pairs.append((earlier[name] if name in earlier else gone.pop(tags[key], None), key))
    return [*pairs, *((key, None) for key in gone.values())]


def _tenant(
    before: Compiled, after: Compiled, old: int | None, new: int | None
) -> Iterator[Change]:
    if old is not None and new is not None:
        yield from _kept(before, after, old, new)
    elif new is not None:
        tenant = after.contract.tenants[new]
        yield Change(subject=tenant.name, key="tenant", before=_NOBODY, after=_promise(tenant))
    elif old is not None:
        tenant = before.contract.tenants[old]
        yield Change(subject=tenant.name, key="tenant", before=_promise(tenant), after=_NOBODY)


def _kept(before: Compiled, after: Compiled, old: int, new: int) -> Iterator[Change]:
    """What a tenant of both contracts has differently."""
    was, now = before.contract.tenants[old], after.contract.tenants[new]
    if was.name != now.name:
        yield Change(subject=now.name, key="name", before=was.name, after=now.name)
    tags = before.contract.tags()[old], after.contract.tags()[new]
    if tags[0] != tags[1]:
        yield Change(subject=now.name, key="tag", before=str(tags[0]), after=str(tags[1]))
    yield from _table(now.name, Bandwidth, was.bandwidth, now.bandwidth)
    yield from _table(now.name, Placement, was.placement, now.placement)


def _promise(tenant: Tenant) -> str:
    """A tenant's promise in a few words."""
    promise = tenant.bandwidth
    if promise.best_effort:
        return "best effort"
    return f"guaranteed {RATE.show(promise.guaranteed)}, burst {RATE.show(promise.burst)}"


def _table(subject: str, model: type[Table], before: Table, after: Table) -> Iterator[Change]:
    for field, each in declared(model).items():
        was, now = getattr(before, field), getattr(after, field)
        if was != now:
            yield _change(subject, each, was, now)


def _change(subject: str, key: Declared, was: Any, now: Any) -> Change:
    kind, by = key.kind, None
    told = _show(kind, was), _show(kind, now)
    if kind.relative and None not in (was, now):
        by = relative(Fraction(was), Fraction(now))
        if kind.quantity is not None:
            told = shown_pair(kind.quantity, Fraction(was), Fraction(now))
    return Change(subject=subject, key=key.name, before=told[0], after=told[1], by=by)


def _show(kind: Kind, value: Any) -> str:
    return _NOT_SET if value is None or value == () else kind.write(value)


def _consequences(
    was: Explanation,
    now: Explanation,
    before: Compiled,
    after: Compiled,
    pairs: list[tuple[int | None, int | None]],
) -> Iterator[Change]:
    for key, attribute in (("capacity", "capacity_fabric"), ("headroom", "headroom_gbps")):
        yield from _number("fabric", key, getattr(was, attribute), getattr(now, attribute), "GB/s")
    earlier = {tenant.tag: tenant for tenant in was.tenants}
    later = {tenant.tag: tenant for tenant in now.tenants}
    for old, new in pairs:
        if old is None or new is None:
            continue
        yield from _tenant_consequences(
            earlier[before.contract.tags()[old]], later[after.contract.tags()[new]]
        )


def _tenant_consequences(was: TenantExplanation, now: TenantExplanation) -> Iterator[Change]:
    share = (100 * was.weight_share, 100 * now.weight_share)
    yield from _number(now.name, "share if all are backlogged", *share, "%")
    yield from _number(now.name, "bound", was.bound_ns, now.bound_ns, "ns")
    verdicts = was.verdict or _NOBODY, now.verdict or _NOBODY
    if verdicts[0] != verdicts[1]:
        yield Change(subject=now.name, key="objective", before=verdicts[0], after=verdicts[1])


def _number(
    subject: str, key: str, was: float | None, now: float | None, unit: str
) -> Iterator[Change]:
    told = [_NOBODY if number is None else f"{number:,.6g} {unit}" for number in (was, now)]
    if told[0] != told[1]:
        by = now / was - 1 if was and now else None
        yield Change(subject=subject, key=key, before=told[0], after=told[1], by=by)
