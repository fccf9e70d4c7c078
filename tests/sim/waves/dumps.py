"""VCDs written anew as other simulators write them."""

import dataclasses
import re
from collections.abc import Callable, Iterator

__all__ = [
    "Dump",
    "declared",
]


@dataclasses.dataclass
class Dump:
    """A VCD of ours in its parts: lines of the header, and changes by time."""

    header: list[str]
    changes: list[tuple[int, list[str]]]

    @classmethod
    def parse(cls, text: str) -> "Dump":
        head, body = text.split("$enddefinitions $end\n")
        changes: list[tuple[int, list[str]]] = []
        for line in body.splitlines():
            if line.startswith("#"):
                changes.append((int(line[1:]), []))
            elif not line.startswith("$"):
                changes[-1][1].append(line)
        return cls(header=head.splitlines(), changes=changes)

    def text(self) -> str:
        rows = [*self.header, "$enddefinitions $end"]
        for time, lines in self.changes:
            rows += [f"#{time}", *lines]
        return "\n".join(rows) + "\n"

    def variables(self, change: Callable[[str, int, str, str], list[str]]) -> "Dump":
        """With other lines for each variable, given its kind, width, code and name."""
        header = []
        for line in self.header:
            match = re.fullmatch(r"\$var (\w+) +(\d+) (\S+) (\S+) \$end", line)
            header += (
                [line] if match is None else change(match[1], int(match[2]), match[3], match[4])
            )
        return Dump(header=header, changes=self.changes)

    def values(self, change: Callable[[str], list[str]]) -> "Dump":
        """With other lines for each change."""
        return Dump(
            header=self.header,
            changes=[
                (time, [new for line in lines for new in change(line)])
                for time, lines in self.changes
            ],
        )

    def checkpoint(self, place: int) -> list[str]:
        """Every value as it is after the changes of a place."""
        last: dict[str, str] = {}
        for _, lines in self.changes[: place + 1]:
            for line in lines:
                last[_code(line)] = line
        return list(last.values())

    def unknown(self) -> list[str]:
        """Every value as x."""
        return [
            f"bx {code}" if width > 1 else f"x{code}"
            for kind, width, code, _ in declared(self)
            if kind != "string"
        ]


def declared(dump: Dump) -> Iterator[tuple[str, int, str, str]]:
    """Kind, width, code and name of every variable."""
    for line in dump.header:
        words = line.split()
        if words[0] == "$var":
            yield words[1], int(words[2]), words[3], words[4]


def _code(line: str) -> str:
    return line.split()[-1] if line[0] in "bs" else line[1:]
