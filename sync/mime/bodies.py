"""Which parts are the body and which are attachments: the rules of JMAP (RFC 8621, section 4.1.4).

Alternatives are chosen from, mixed texts are joined, everything else is an attachment. Pictures that stand
between texts are attachments here (JMAP counts them to the body), so that none is lost in the plain view.
"""

from dataclasses import dataclass, field

from sync.mime.parts import Part


@dataclass(slots=True)
class Bodies:
    text: list[Part] = field(default_factory=list)
    html: list[Part] = field(default_factory=list)
    attachments: list[Part] = field(default_factory=list)


def choose_bodies(root: Part) -> Bodies:
    """Sort the leaves of a message. A part may stand in both `text` and `html` when it serves both views."""
    bodies = Bodies()
    _sort([root], "mixed", False, bodies.text, bodies.html, bodies.attachments)
    return bodies


def _sort(
    parts: list[Part] | tuple[Part, ...],
    multipart: str,
    in_alternative: bool,
    text: list[Part] | None,
    html: list[Part] | None,
    attachments: list[Part],
) -> None:
    text_before = len(text) if text is not None else -1
    html_before = len(html) if html is not None else -1
    for index, part in enumerate(parts):
        kind = part.content_type
        if kind.startswith("multipart/"):
            inner = kind[len("multipart/") :]
            _sort(part.children, inner, in_alternative or inner == "alternative", text, html, attachments)
            continue
        if not _is_body(part, index, multipart):
            attachments.append(part)
            continue
        if multipart == "alternative":
            target = text if kind == "text/plain" else html
            (target if target is not None else attachments).append(part)
            continue
        if in_alternative:  # a text within one alternative serves that view only
            if kind == "text/plain":
                html = None
            else:
                text = None
        for target in (text, html):
            if target is not None:
                target.append(part)
        if text is None and html is None:
            attachments.append(part)
    if multipart == "alternative" and text is not None and html is not None:
        if len(text) == text_before:
            text.extend(html[html_before:])
        elif len(html) == html_before:
            html.extend(text[text_before:])


def _is_body(part: Part, index: int, multipart: str) -> bool:
    if part.disposition == "attachment" or part.content_type not in ("text/plain", "text/html"):
        return False
    return index == 0 or (multipart != "related" and not part.filename)
