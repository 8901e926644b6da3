"""Plain text to HTML: paragraphs, line breaks and links, everything escaped."""

import html
import re

_LINK = re.compile(r"(?<![\w@/.])(https?://[^\s<>\"']{1,2000}|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8})")
_TRAILING = ".,;:!?)]}'\"*_"


def html_from_text(text: str) -> str:
    """HTML paragraphs for a plain text: blank lines part them, line breaks and indentation stay, links work."""
    blocks = re.split(r"\n[^\S\n]*\n\s*", text.replace("\r\n", "\n").strip("\n"))
    return "\n".join(f"<p>{_lines(block)}</p>" for block in blocks if block.strip())


def _lines(block: str) -> str:
    return "<br>\n".join(_indented(_linked(line)) for line in block.split("\n"))


def _indented(line: str) -> str:
    stripped = line.lstrip(" ")
    return "&nbsp;" * min(len(line) - len(stripped), 40) + stripped.replace("  ", "&nbsp; ")


def _linked(line: str) -> str:
    out: list[str] = []
    end = 0
    for match in _LINK.finditer(line):
        target = match[0].rstrip(_TRAILING)
        if not target or match.start() < end:
            continue
        if target.count("(") > target.count(")") and match[0][len(target) :].startswith(")"):
            target += ")"
        out.append(html.escape(line[end : match.start()]))
        href = target if target.startswith("http") else f"mailto:{target}"
        out.append(f'<a href="{html.escape(href)}">{html.escape(target)}</a>')
        end = match.start() + len(target)
    out.append(html.escape(line[end:]))
    return "".join(out)
