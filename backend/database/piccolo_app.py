"""The one Piccolo app: every capability's tables, one line of migrations."""

import os
from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

TABLE_MODULES = (
    "backend.people.tables",
    "backend.mailboxes.tables",
    "backend.accounts.tables",
    "backend.outgoing_servers.tables",
    "backend.identities.tables",
    "backend.addresses.tables",
    "backend.sending_domains.tables",
    "backend.conversations.tables",
    "backend.tags.tables",
    "backend.views.tables",
    "backend.templates.tables",
    "backend.links.tables",
    "backend.mail.tables",
    "backend.compose.tables",
    "backend.uploads.tables",
    "backend.documents.tables",
    "backend.meetings.tables",
    "backend.contacts.tables",
    "backend.notifications.tables",
    "backend.events.tables",
)

APP_CONFIG = AppConfig(
    app_name="tandem",
    migrations_folder_path=os.fspath(Path(__file__).parent / "piccolo_migrations"),
    table_classes=table_finder(modules=list(TABLE_MODULES), exclude_imported=True),
)
