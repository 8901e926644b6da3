"""Merge fields of other programs: those that are known here are taken for ours, the others stand in brackets, about
which the composer asks before a mail is sent. Nothing that is imported is ever left as a template that is none.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape, unescape

from backend.templates.contracts import ImportFinding
from backend.templates.importing.found import finding
from backend.templates.language import TemplateError, check

_FIELD = re.compile(
    r"\{\{\{?.{1,400}?\}\}\}?|\*\|[^|*]{1,100}\|\*|%%[A-Za-z][A-Za-z0-9_. -]{0,60}%%|\$\{[A-Za-z][A-Za-z0-9_.]{0,60}\}",
    re.DOTALL,
)
_BLOCK = re.compile(r"\{%.{1,400}?%\}", re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")
_CONTROLS = re.compile(r"[#/^>!&]|else\b|(?:if|elseif|end|mc|interest|list|brand|html)\s*:|else\s*:", re.IGNORECASE)
_COMMENT = re.compile(r"\{\{!--.*?--\}\}|\{#.*?#\}", re.DOTALL)
_STRAY = re.compile(r"(\{\{[^{}]{1,400}\}\}|\{%[^{}]{1,400}%\})|\{(?=[{%#])")
_OURS = {
    "contact.first_name": ("fname", "firstname", "givenname"),
    "contact.last_name": ("lname", "lastname", "surname", "familyname"),
    "contact.name": ("name", "fullname"),
    "contact.email": ("email", "emailaddress"),
    "contact.company": ("company", "companyname", "organization", "organisation"),
    "contact.phone": ("phone", "phonenumber", "telephone"),
    "me.name": ("sendername", "ownername", "agentname"),
    "me.email": ("senderemail", "owneremail"),
    "today.year": ("currentyear", "year"),
    "today.date": ("currentdate", "date", "today"),
}
_KNOWN = {alias: ours for ours, aliases in _OURS.items() for alias in aliases}
_OF_WHOM = re.compile(r"(?:contact|recipient|customer|subscriber|person|lead)[._ -]+", re.IGNORECASE)


@dataclass(slots=True)
class Fields:
    """What was done to the fields of one import."""

    _taken: dict[str, str] = field(default_factory=dict)
    _unknown: list[str] = field(default_factory=list)
    _blocks: bool = False
    _stray: bool = False

    def put_in_order(self, source: str, checked: Callable[[str], str]) -> str:
        """The text as a template of ours; `checked` makes it what is kept, or raises TemplateError, as it does here for
        what cannot be helped."""
        text = _COMMENT.sub("", source)
        ours = _passes(text, checked)
        text = _FIELD.sub(lambda found: found[0] if ours and found[0][0] == "{" else self._ordered(found[0]), text)
        if not _passes(text, checked):
            apart = _STRAY.sub(lambda found: found[1] or "{ ", text)
            self._stray = self._stray or apart != text
            text = apart
        if not _passes(text, checked):
            text, number = _BLOCK.subn("", text)
            self._blocks = self._blocks or number > 0
        return checked(text)

    def _ordered(self, written: str) -> str:
        words = unescape(_TAG.sub("", written)).replace("\xa0", " ").replace("%20", " ").translate(_QUOTES)
        if words.startswith("{{") and not words.startswith("{{{") and _is_field(words):
            return escape(words, quote=True) if _TAG.search(written) else written
        inner = words.strip("{}*|%$ ").strip()
        if _CONTROLS.match(inner):
            self._blocks = True
            return ""
        name = re.split(r"[|:]", inner, maxsplit=1)[0].strip()
        ours = _KNOWN.get(re.sub(r"[^a-z0-9]", "", _OF_WHOM.sub("", name, count=1).lower()))
        if ours:
            self._taken[words] = ours
            return f"{{{{ {ours} }}}}"
        self._unknown.append(words)
        return f"[{_in_words(name)}]"

    def findings(self) -> list[ImportFinding]:
        """What there is to say about the fields."""
        told: list[ImportFinding] = []
        if self._taken:
            items = [f"{theirs} is now {ours}" for theirs, ours in self._taken.items()]
            told.append(finding("field", "Fields of another program are now ours:", items))
        if self._unknown:
            words = "Fields that are not known here stand in brackets. You are asked about them before a mail is sent:"
            told.append(finding("field", words, self._unknown))
        if self._blocks:
            words = "Conditions and loops of another program are left out, what stood in them stays."
            told.append(finding("field", words))
        if self._stray:
            told.append(finding("field", "Braces that begin no field now have a blank between them."))
        return told


_QUOTES = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'"})


def _is_field(words: str) -> bool:
    try:
        check(words)
    except TemplateError:
        return False
    return True


def _passes(text: str, checked: Callable[[str], str]) -> bool:
    try:
        checked(text)
    except TemplateError:
        return False
    return True


def _in_words(name: str) -> str:
    """A name for people: UNSUB is "unsub", contact.firstname "contact firstname"."""
    words = re.sub(r"[\W_]+", " ", name).strip().lower()[:50].strip()
    return words if re.match(r"[a-z]\w", words) else f"field {words}".strip()
