"""The window over the page in which a new mail is written."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.widgets import composer
from frontend.compose.state import Compose

# Variables of a state are expressions here; their types are Reflex's own affair.
_compose: Any = Compose


def compose_window() -> rx.Component:
    """A new mail, over whatever page one is on."""
    return rx.cond(
        _compose.fresh.id > 0,
        rx.el.div(
            rx.el.div(
                composer(
                    draft=_compose.fresh,
                    files=_compose.files,
                    meetings=_compose.meetings,
                    status=_compose.status,
                    suggestions=_compose.suggestions,
                    on_save=_compose.save,
                    on_send=_compose.send_mail,
                    on_discard=_compose.discard,
                    on_fold=_compose.fold,
                    on_query=_compose.suggest,
                    on_attached=_compose.attached,
                    on_detach=_compose.detach,
                    on_keep=_compose.keep,
                    on_yield=_compose.yield_draft,
                    on_renew=_compose.renew,
                ),
                role="dialog",
                class_name="compose-window",
                custom_attrs={"aria-modal": "true", "aria-label": "New mail"},
            ),
            class_name="dim",
        ),
    )
