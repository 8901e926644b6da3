"""Folder names and what folders are for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.imap.names import folder_title, role_by_name, wire_name


@pytest.mark.parametrize(
    ("wire", "title"),
    [
        ("INBOX", "INBOX"),
        ("Entw&APw-rfe", "Entwürfe"),
        ("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"),  # RFC 3501 section 5.1.3
        ("Tom &- Jerry", "Tom & Jerry"),
        ("&2D3eAA-", "😀"),
        ("&broken", "&broken"),
        ("&!!!-", "&!!!-"),
        ("Entwürfe", "Entwürfe"),
    ],
)
def test_titles(wire: str, title: str) -> None:
    assert folder_title(wire) == title


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs"]), max_size=40))
def test_every_title_comes_back(title: str) -> None:
    wire = wire_name(title)
    assert wire.isascii()
    assert folder_title(wire) == title


@pytest.mark.parametrize(
    ("title", "delimiter", "role"),
    [
        ("inbox", "/", "inbox"),
        ("Sent", "/", "sent"),
        ("INBOX.Sent Items", ".", "sent"),
        ("Gesendete Objekte", "/", "sent"),
        ("[Gmail]/Messages envoyés", "/", "sent"),
        ("Отправленные", "/", "sent"),
        ("Papierkorb", "/", "trash"),
        ("Work/Sent letters", "/", None),
        ("INBOX.Sent.2019", ".", None),
    ],
)
def test_roles_by_name(title: str, delimiter: str, role: str | None) -> None:
    assert role_by_name(title, delimiter) == role
