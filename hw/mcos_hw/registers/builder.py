"""Lays the registers of a map out."""

from mcos_hw.registers.declaration import Access, Field, Register
from mcos_hw.registers.image import SectionKind

__all__ = ["Builder"]


class Builder:
    """Lays registers out by rising offset."""

    def __init__(self) -> None:
        self.offset = 0
        self.registers: list[Register] = []

    def at(self, offset: int) -> None:
        """Continue at ``offset``."""
        self.offset = offset

    def add(
        self,
        name: str,
        access: Access,
        description: str,
        *fields: Field,
        count: int = 1,
        paged: bool = False,
        part: SectionKind | None = None,
        each: int = 1,
    ) -> None:
        """Append a register, or an array aligned to its size: an index is an address slice."""
        if count > 1:
            self.offset = -(-self.offset // (4 * count)) * 4 * count
        register = Register(
            name=name,
            offset=self.offset,
            access=access,
            fields=fields,
            description=description,
            count=count,
            paged=paged,
            part=part,
            each=each,
        )
        self.registers.append(register)
        self.offset += register.size
