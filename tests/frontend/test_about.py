"""What is told of a mailbox, and as whom one writes from it."""

from __future__ import annotations

from typing import Any

import pytest

from backend.mailboxes.contracts import MailboxDeed, SendAs
from frontend.compose.views import copy_address, sender_words
from frontend.inbox.about import deed_words
from tests.frontend.builders import ANA, JONAS, NOON, mailbox, view


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "created"}, "Jonas made this mailbox"),
        ({"kind": "members", "added_ids": [JONAS]}, "Jonas gave access to themselves"),
        (
            {"kind": "members", "added_ids": [ANA], "added_team_ids": [1]},
            "Jonas gave access to you and the team Service",
        ),
        ({"kind": "members", "removed_ids": [ANA], "actor_id": ANA}, "You took access from yourself"),
        (
            {"kind": "changed", "changed": ["address", "name", "send_as"]},
            "Jonas changed its address, its name and who stands as the sender",
        ),
        ({"kind": "account"}, "Jonas changed its mail account"),
    ],
)
def test_what_was_done_to_a_mailbox_in_words(fields: dict[str, Any], words: str) -> None:
    assert deed_words(view(), MailboxDeed(**({"id": 1, "at": NOON, "actor_id": JONAS} | fields))) == words


@pytest.mark.parametrize(
    ("send_as", "sender"),
    [
        ("mailbox", "Northwind <support@northwind.example>"),
        ("person", "Ana Ribeiro, Northwind <support@northwind.example>"),
        ("on_behalf", "Ana Ribeiro on behalf of Northwind <support@northwind.example>"),
    ],
)
def test_as_whom_one_writes(send_as: SendAs, sender: str) -> None:
    assert sender_words(view(), mailbox(default_from_name="Northwind", send_as=send_as)) == sender


def test_replies_are_copied_and_other_mail_is_not() -> None:
    support = mailbox(reply_bcc="archive@northwind.example")
    assert [copy_address(support, kind) for kind in ("reply", "reply_all", "forward", "new")] == [
        "archive@northwind.example",
        "archive@northwind.example",
        "",
        "",
    ]
