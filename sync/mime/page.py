"""The complete page around sanitised HTML, for a sandboxed frame."""

from collections.abc import Sequence

OWN_PICTURES = ("'self'", "data:")

FRAME_SANDBOX = "allow-same-origin allow-popups allow-popups-to-escape-sandbox"
"""For the `sandbox` attribute of the frame: no scripts, no forms, no top navigation. Without scripts the origin is
of no use to the mail, but it lets the page around measure the frame, and its pictures carry our cookie.
"""

_BASE = """
html { background: #fff; color: #1f2328; }
body { margin: 0; padding: 1px; overflow-wrap: break-word; word-break: break-word;
  font: 14px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; }
img { max-width: 100%; height: auto; }
table { max-width: 100%; }
pre { white-space: pre-wrap; }
blockquote { margin: 0 0 0 2px; padding-left: 10px; border-left: 3px solid #c9ced6; }
a { color: #0b57d0; }
details.quoted > summary { cursor: pointer; color: #6b7280; margin: 8px 0; }
"""
# A mail without dark colours of its own: its colours are turned over, and pictures turned back.
_TURNED = """
html { filter: invert(0.9) hue-rotate(180deg); background: #fff; }
img, [background], [style*="background-image"], [style*="url("] { filter: invert(1) hue-rotate(180deg); }
"""
_DARK = """
html { background: #16181d; color: #e6e8eb; color-scheme: dark; }
a { color: #8ab4f8; }
"""


def content_security_policy(picture_sources: Sequence[str] = OWN_PICTURES) -> str:
    """The policy for a shown mail, to send as the `Content-Security-Policy` header as well.

    Only pictures load, and only from `picture_sources`. In the `<meta>` element browsers ignore
    `frame-ancestors` and `sandbox`; the header is where those count: they hold even when somebody opens the
    address of a mail in a tab of its own.
    """
    return "; ".join([*_directives(picture_sources), "frame-ancestors 'self'", f"sandbox {FRAME_SANDBOX}"])


def _directives(picture_sources: Sequence[str]) -> list[str]:
    for source in picture_sources:
        if any(character in source for character in '; ,"<>\n\r'):
            raise ValueError(f"not a source expression: {source!r}")
    return [
        "default-src 'none'",
        f"img-src {' '.join(picture_sources)}" if picture_sources else "img-src 'none'",
        "style-src 'unsafe-inline'",
        "script-src 'none'",
        "font-src 'none'",
        "form-action 'none'",
        "base-uri 'none'",
    ]


def document(
    html: str,
    *,
    dark: bool,
    declares_dark: bool = False,
    quoted: str = "",
    quoted_label: str = "Quoted text",
    picture_sources: Sequence[str] = OWN_PICTURES,
) -> str:
    """A complete HTML document around sanitised HTML. `dark` is the theme of the person who reads.

    A mail that `declares_dark` is left to its own dark colours. `quoted` (sanitised, too) is folded below.
    """
    policy = "; ".join(_directives(picture_sources)).replace("&", "&amp;").replace('"', "&quot;")
    styles = _BASE
    if dark:
        styles += _DARK if declares_dark else _TURNED
    fold = ""
    if quoted:
        label = quoted_label.replace("&", "&amp;").replace("<", "&lt;")
        fold = f'<details class="quoted"><summary>{label}</summary>{quoted}</details>'
    return (
        "<!doctype html>\n<html><head>"
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta charset="utf-8"><meta name="referrer" content="no-referrer">'
        f'<meta name="color-scheme" content="{"dark" if dark and declares_dark else "light"}">'
        f"<style>{styles}</style></head><body>{html}{fold}</body></html>"
    )
