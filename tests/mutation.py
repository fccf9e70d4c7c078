"""Files that went wrong on their way: good ones, and a few edits of their bytes."""

from hypothesis import settings
from hypothesis import strategies as st

__all__ = ["examples", "mutated"]


TOKENS = (
    *(
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\r",
        b"\n",
        b"\t",
        b" ",
        b'"',
        b"'",
        b"\\",
        b"#",
        b"\x1b[31m",
    ),
    *(
        b",",
        b";",
        b".",
        b"-",
        b"=",
        b":",
        b"{",
        b"}",
        b"[",
        b"]",
        b"[[",
        b"]]",
        b"[[tenant]]\n",
        b"{}",
    ),
    *(
        b"0",
        b"-1",
        b"1.5",
        b"1e3",
        b"1e400",
        b"1e-300",
        b"9" * 26,
        b"nan",
        b"NaN",
        b"Infinity",
        b"inf",
    ),
    *(
        b"true",
        b"null",
        b"1979-05-27",
        b"\xc2\xb5s",
        b"\xe2\x80\xae",
        "\N{ARABIC-INDIC DIGIT ONE}".encode(),
    ),
)
"""What other tools write and what readers stumble over."""


def mutated(*originals: bytes) -> st.SearchStrategy[bytes]:
    """One of the originals after one to four edits.

    An edit overwrites a byte, puts a token in, takes a stretch out, repeats it or moves it, or ends
    the file.
    """
    return st.builds(_edited, st.sampled_from(originals), st.lists(_EDITS, min_size=1, max_size=4))


_PLACES = st.floats(0, 1, exclude_max=True)
_EDITS = st.one_of(
    st.tuples(st.just("byte"), _PLACES, st.binary(min_size=1, max_size=1)),
    st.tuples(st.just("token"), _PLACES, st.sampled_from(TOKENS)),
    st.tuples(st.sampled_from(("out", "twice")), _PLACES, st.integers(1, 40)),
    st.tuples(st.just("move"), _PLACES, _PLACES),
    st.tuples(st.just("end"), _PLACES, st.none()),
)


def _edited(original: bytes, edits: list[tuple]) -> bytes:
    content = original
    for kind, place, what in edits:
        at = int(place * len(content))
        match kind:
            case "byte":
                content = content[:at] + what + content[at + 1 :]
            case "token":
                content = content[:at] + what + content[at:]
            case "out":
                content = content[:at] + content[at + what :]
            case "twice":
                content = content[: at + what] + content[at:]
            case "move":
                to = int(what * len(content))
                stretch = content[at : at + 12]
                rest = content[:at] + content[at + 12 :]
                content = rest[:to] + stretch + rest[to:]
            case "end":
                content = content[:at]
    return content


def examples(count: int) -> settings:
    """Settings of a test that tries so many files, always the same."""
    return settings(max_examples=count, derandomize=True, deadline=None, database=None)
