"""The window over the page in which a new mail is written."""

from __future__ import annotations

import reflex as rx

from frontend.components.widgets import composer
from frontend.compose.state import Compose


def compose_window() -> rx.Component:
    """A new mail, over whatever page one is on."""
    return rx.cond(
        Compose.fresh.id > 0,
        rx.el.div(
            rx.el.div(
                composer(
                    draft=Compose.fresh,
                    files=Compose.files,
                    status=Compose.status,
                    suggestions=Compose.suggestions,
                    on_save=Compose.save,
                    on_send=Compose.send_mail,
                    on_discard=Compose.discard,
                    on_fold=Compose.fold,
                    on_query=Compose.suggest,
                    on_attached=Compose.attached,
                    on_detach=Compose.detach,
                    on_keep=Compose.keep,
                ),
                role="dialog",
                class_name="compose-window",
                custom_attrs={"aria-modal": "true", "aria-label": "New mail"},
            ),
            class_name="dim",
        ),
    )
