"""Makes Northwind Bikes in Tandem, through the REST API alone, and goes on where an earlier run was stopped.

First organisation, people, teams, mailboxes and accounts; then, when the mail has come in as history, what the
people said about it: comments, assignees, what is done. What has been applied is written down conversation by
conversation, so that nothing is said twice and nothing that a visitor changed is changed back.
"""

import asyncio
import logging
from pathlib import Path

from backend.accounts.contracts import AccountSettings, ConnectAccount, ServerAddress
from backend.conversations.contracts import (
    Assign,
    Comment,
    ConversationDetail,
    ConversationItem,
    ConversationPage,
    ConversationRow,
    SetStatus,
)
from backend.demo.api import Api, Refused
from backend.demo.corpus import Conversation, corpus
from backend.demo.memory import Memory
from backend.demo.people import (
    MAILBOXES,
    ORGANISATION,
    OWNER,
    PASSWORD,
    PEOPLE,
    TEAMS,
    DemoMailbox,
    Person,
    members_of,
)
from backend.demo.servers import HOST
from backend.demo.teammates import Office, comment_body, is_row_of
from backend.mailboxes.contracts import CreateMailbox, Mailbox
from backend.notifications.contracts import MarkNotificationsRead, NotificationPage
from backend.people.contracts import (
    AcceptInvitation,
    CreateInvitation,
    CreateToken,
    InvitationCreated,
    Me,
    SaveTeam,
    SetUp,
    SetUpState,
    SignIn,
    Team,
    TokenCreated,
)

log = logging.getLogger("tandem.demo")

_LEFT_UNREAD = 3
"""So many mentions of the history still wait for each person; the others have been read."""


class NotTheDemo(Exception):
    """This Tandem belongs to somebody else; the demo touches nothing in it."""


class Setup:
    """The demo's installation. ``address`` is where Tandem answers; the ports are those of the mail servers."""

    def __init__(self, address: str, data: Path, imap_port: int, smtp_port: int) -> None:
        self._address = address
        self._memory = Memory(data / "setup.json")
        self._servers = {"imap": imap_port, "smtp": smtp_port}

    def token(self, key: str) -> str:
        """The person's API token; KeyError before `run`."""
        return self._memory.table("tokens")[key]
