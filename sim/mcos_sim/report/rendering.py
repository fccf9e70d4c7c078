"""Pages from templates: one file each that needs nothing else."""

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from mcos_policy.files import write_text

__all__ = [
    "write_page",
]


_UNIT = re.compile(r"(?<=\d) (?=(?:ns|µs|ms|s|%|GB/s)(?!\w))")
"""The space between a number and its unit."""

_HYPHENATED = re.compile(r"\S*\w-\w\S*")
"""A word that a browser would break behind its hyphen: most names of tenants."""


def write_page(path: Path, template: str, **context: Any) -> None:
    """Write a page: the same bytes for the same context.

    Parameters
    ----------
    path : Path
        The page.
    template : str
        One of the templates beside this module. It may use three filters: ``number`` writes a
        number by a format and ``-`` for None; ``tied`` keeps each number in one line with its
        unit; ``whole`` keeps words with hyphens in one line, with the class ``whole``.
    context : Any
        What the template names; text is escaped.

    Raises
    ------
    OSError
        If the page cannot be written.
    """
    environment = Environment(
        loader=PackageLoader("mcos_sim.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["number"] = _number
    environment.filters["tied"] = _tied
    environment.filters["whole"] = _whole
    write_text(path, environment.get_template(template).render(context))


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _tied(text: str) -> str:
    return _UNIT.sub("\u00a0", text)


def _whole(text: str) -> Markup:
    span = Markup('<span class="whole">{}</span>')
    parts, end = [], 0
    for match in _HYPHENATED.finditer(text):
        parts += [escape(text[end : match.start()]), span.format(match[0])]
        end = match.end()
    return Markup("").join([*parts, escape(text[end:])])
