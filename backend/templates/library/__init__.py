"""The templates that Tandem brings along: one file each, from which both the HTML and the text are made.

    support/refund-agreed.txt    a head (name, folder, subject, when to use it, what is to be filled in), then the mail
    source.py                    reads such a file, and says what is wrong with it
    markup.py                    writes the HTML: tables and styles on the elements, as mail programs want it
    look.py                      the colours, and the one style sheet for dark screens and phones

The text is what the HTML says (`sync.mime.composed`), exactly as it is taken when a mail is sent.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from backend.templates.contracts import TemplateKind
from backend.templates.language import check
from backend.templates.library.markup import html_of
from backend.templates.library.source import Gap, Source, read_source
from sync.mime.composed import composed_text

__all__ = ["Gap", "ShippedTemplate", "shipped_template", "shipped_templates", "with_examples"]

_PLACE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class ShippedTemplate:
    """`subject`, `text` and `html` hold merge fields, and in square brackets what only the writer knows: the `gaps`.

    `about` says when to use it, `key` where it is kept. An address under `.example` is to be replaced, too.
    """

    key: str
    name: str
    folder: str
    kind: TemplateKind
    about: str
    subject: str
    text: str
    html: str
    gaps: tuple[Gap, ...]


@cache
def shipped_templates() -> tuple[ShippedTemplate, ...]:
    """All of them, by folder and name. Raises SourceError or TemplateError for what could not be sent."""
    found = [_made(read_source(path, _PLACE)) for path in _PLACE.glob("*/*.txt")]
    return tuple(sorted(found, key=lambda each: (each.folder, each.name)))


def shipped_template(key: str) -> ShippedTemplate | None:
    """That one, if there is such a key."""
    return next((each for each in shipped_templates() if each.key == key), None)


def with_examples(words: str, gaps: tuple[Gap, ...]) -> str:
    """A subject, a text or HTML in which every gap holds its example: for previews."""
    examples = {gap.name: gap.example for gap in gaps}
    return re.sub(r"\[([^\[\]]+)\]", lambda found: examples.get(found[1], found[0]), words)


def _made(source: Source) -> ShippedTemplate:
    html = html_of(source)
    text = composed_text(html)
    for each in (source.subject, text, html):
        check(each)
    return ShippedTemplate(
        source.key, source.name, source.folder, "template", source.about, source.subject, text, html, source.gaps
    )
