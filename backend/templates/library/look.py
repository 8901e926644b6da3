"""How the library's mails look: few colours, each measured in light and in dark (tests/backend/templates).

Everything that a mail needs stands on its elements, for many programs drop style sheets. The one sheet turns the
colours where a screen is dark, and gives phones more room for the words; its classes begin with `td-`, so it dresses
nothing else.
"""

from dataclasses import dataclass

PAGE, PAPER, TEXT, SECOND, RULE = "#f4f2ee", "#ffffff", "#1f1d1a", "#5d5850", "#e3dfd9"


@dataclass(frozen=True, slots=True)
class Colours:
    """`strong` lies under white words, `soft` under words in `ink`."""

    strong: str
    soft: str
    ink: str


TONES = {
    "accent": Colours("#3450d8", "#eceffe", "#2a41b8"),
    "green": Colours("#187a4f", "#e4f4ec", "#146242"),
    "amber": Colours("#8a5200", "#fdf1dc", "#7a4700"),
    "red": Colours("#b3261e", "#fdeae8", "#9c211a"),
    "ink": Colours("#2f2c28", "#f1efeb", "#3d3a35"),
}
DARK_TONES = {
    "accent": Colours("#3450d8", "#232744", "#b3beff"),
    "green": Colours("#187a4f", "#16301f", "#86d9b0"),
    "amber": Colours("#8a5200", "#33270f", "#edc078"),
    "red": Colours("#b3261e", "#3a1b19", "#ffa9a2"),
    "ink": Colours("#45454d", "#2a2a30", "#dcdce2"),
}


def _dark_rules() -> str:
    rules = [
        ".td-page { background-color: #141416 !important }",
        ".td-paper { background-color: #1d1d21 !important; color: #ececf0 !important }",
        ".td-letter { background-color: transparent !important; color: #ececf0 !important }",
        ".td-text { color: #ececf0 !important }",
        ".td-second { color: #a9a9b3 !important }",
        ".td-rule { border-color: #37373e !important }",
    ]
    for tone, colours in DARK_TONES.items():
        rules += [
            f".td-strong-{tone} {{ background-color: {colours.strong} !important }}",
            f".td-soft-{tone} {{ background-color: {colours.soft} !important }}",
            f".td-ink-{tone} {{ color: {colours.ink} !important }}",
            f".td-edge-{tone} {{ border-color: {colours.ink} !important }}",
        ]
    return "\n".join(rules)


STYLES = f"""<style>
:root {{ color-scheme: light dark }}
@media (max-width: 480px) {{
.td-around {{ padding: 0 !important }}
.td-inside {{ padding-left: 18px !important; padding-right: 18px !important }}
}}
@media (prefers-color-scheme: dark) {{
{_dark_rules()}
}}
</style>"""


def dressed(html: str) -> str:
    """A mail as it leaves: with the style sheet again, if anything in it is the library's.

    Drafts keep no style sheets, as those of others would dress what stands around them. Not for mail that quotes
    others: their words may be dark on no ground at all.
    """
    return f"{STYLES}\n{html}" if 'class="td-' in html else html
