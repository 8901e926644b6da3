"""What every page carries in its head: styles, type, icon and the scripts that must not wait for the network.

The colours themselves stand in assets/css/tokens.css, as CSS variables with one meaning each.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import reflex as rx

ASSETS = Path(__file__).resolve().parent.parent / "assets"

STYLESHEETS = [
    f"/css/{name}.css"
    for name in (
        "fonts", "tokens", "base", "gate", "rail", "list", "many", "conversation", "compose", "pages", "accounts",
        "intake", "palette", "phone",
    )
]  # fmt: skip

SCRIPTS = (
    "gate", "many", "assigning", "desk", "presence", "reminders", "merging", "splitting", "moving", "away", "notify",
    "search", "keys",
)  # fmt: skip


def _versioned(path: str) -> str:
    """`path` with the hash of its content, so that a browser never runs yesterday's script."""
    digest = hashlib.sha256((ASSETS / path.lstrip("/")).read_bytes()).hexdigest()[:12]
    return f"{path}?v={digest}"


def head() -> list[rx.Component]:
    """The components of every page's head."""
    return [
        rx.el.meta(name="viewport", content="width=device-width, initial-scale=1, viewport-fit=cover"),
        rx.el.meta(name="referrer", content="same-origin"),
        rx.el.link(rel="icon", href=_versioned("/favicon.svg"), type="image/svg+xml"),
        rx.el.link(
            rel="preload",
            href="/fonts/inter-latin.woff2",
            type="font/woff2",
            custom_attrs={"as": "font", "crossOrigin": "anonymous"},
        ),
        rx.el.script(src=_versioned("/js/early.js")),  # before there is anything to click on
        *(rx.el.script(src=_versioned(f"/js/{name}.js"), defer=True) for name in SCRIPTS),
    ]
