"""Templates, signatures and footers as HTML: cleaned like a stranger's before they are kept, filled in with everything
that is filled in escaped, and cleaned once more.

What the editor or another program did to a field is undone first: in HTML a quotation mark may be written `&quot;`, a
blank `%20`, and a word of it may be bold.
"""

import html as entities
import re

from backend.errors import TooLarge
from backend.templates.language import Rendering, Values, check, fields_in, render
from sync.mime.composed import TooMuchMarkup, clean_composed, composed_text, pictures_in

__all__ = ["clean_markup", "filled_in", "markup_fields", "markup_text", "pictures_in"]

DESIGNED = "designed"
"""The class of a part that is laid out: the editor keeps it as it is."""
_FIELD = re.compile(r"\{\{.{1,2000}?\}\}|\{%.{1,2000}?%\}", re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")
_LONELY = re.compile(r"<p(?: [^<>]*)?>\s*((?:\{%[^{}]*%\}\s*)+)(?:<br ?/?>)?\s*</p>")
_READABLE = str.maketrans({"\xa0": " ", "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'"})
_LONGEST = 600_000
"""Characters, with what is pasted."""


def clean_markup(html: str) -> str:
    """HTML to keep, with its fields in order. Raises TooLarge, and TemplateError for what is no template."""
    if len(html) > _LONGEST:
        raise TooLarge("This is too long for a template.", "Leave something out.")
    try:
        clean = clean_composed(html)
    except TooMuchMarkup:
        raise TooLarge("This is too long, or too deeply nested, for a template.", "Leave something out.") from None
    clean = _LONELY.sub(r"\1", _FIELD.sub(_in_order, clean))
    check(clean)
    return clean


def markup_text(clean: str) -> str:
    """What cleaned HTML says, its fields included."""
    return _FIELD.sub(_in_order, composed_text(clean))


def filled_in(clean: str, values: Values) -> Rendering:
    """Cleaned HTML with its fields filled in. Raises TemplateError for what makes too much."""
    rendering = render(clean, values, html=True)
    try:
        return Rendering(clean_composed(rendering.text), rendering.missing)
    except TooMuchMarkup:
        raise TooLarge("This makes more than a mail can hold.", "Write to fewer people at once.") from None


def markup_fields(clean: str | None) -> list[str]:
    """The fields that cleaned HTML names."""
    return fields_in(clean) if clean else []


def _in_order(match: re.Match[str]) -> str:
    words = entities.unescape(_TAG.sub("", match[0])).replace("%20", " ").replace("%7C", "|")
    return words.translate(_READABLE)
