"""The organisation's documents, in the settings. What one sees and does there is the widget's own
(assets/widgets/documents.jsx): files go from the browser to the API."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.forms import settings_page
from frontend.components.widgets import documents_widget
from frontend.settings.templates.state import Templates

_state: Any = Templates


def documents() -> rx.Component:
    """All documents that the person may use."""
    return settings_page(
        "Documents",
        documents_widget(shares=_state.shares),
        lead="Files that go into mails again and again, attached or as a link. A new upload is a new version.",
    )
