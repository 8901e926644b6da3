"""Subjects with and without what mail programs put in front of them."""

import re

_REPLY = "re|aw|antw|antwort|sv|vs|ref|rif|res|r|odp|ynt|atb|vá|bls|σχετ|απ|ha|回复|回覆|答复|答覆|返信|返|답장|회신"
_FORWARD = "fwd|fw|wg|tr|rv|enc|i|pd|ilt|vb|doorst|vl|tov|πρθ|转发|轉寄|転送|전달|fs"
_PREFIX = re.compile(
    rf"\s*(?:(?P<reply>{_REPLY})|(?P<forward>{_FORWARD}))\s*(?:\[\d{{1,3}}\]|\(\d{{1,3}}\)|\^\d{{1,3}})?\s*[:\uff1a]\s*",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"\s*\[[^\[\]]{1,60}\]\s*")
_SPACE = re.compile(r"\s+")


def base_subject(subject: str) -> tuple[str, bool]:
    """The subject without reply and forward prefixes, folded for comparison, and whether there was a prefix.

    A tag in brackets stays ("[Ticket 4711]" tells threads apart), but a prefix behind it is removed too:
    "[list] Re: Frames" and "Re: [list] Frames" are the same.
    """
    text, prefixed = _without_prefixes(subject)
    return text.casefold(), prefixed


def unprefixed(subject: str) -> str:
    """The subject as it was before anybody answered or forwarded it."""
    return _without_prefixes(subject)[0]


def _without_prefixes(subject: str) -> tuple[str, bool]:
    text, tags, prefixed = subject[:1000], "", False
    for _ in range(50):
        if match := _PREFIX.match(text):
            text, prefixed = text[match.end() :], True
        elif (match := _BRACKETS.match(text)) and _PREFIX.match(text, match.end()):
            tags += match[0].strip() + " "
            text = text[match.end() :]
        else:
            break
    return _SPACE.sub(" ", tags + text).strip(), prefixed
