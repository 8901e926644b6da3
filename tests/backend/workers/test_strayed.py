"""Mail that another program moves into a folder that is not fetched is hidden here, not deleted."""

import pytest

from backend.conversations.contracts import ConversationPage
from backend.database.connection import execute, fetch_row, fetch_value
from backend.jobs import TryAgain
from backend.mail.actions import remove_placements, store_fetched
from backend.mail.fetched import Fetched
from backend.workers.strayed import settle_removed
from sync.mime.parse import parse_message
from tests.servers.api import Api
from tests.servers.dovecot import Dovecot
from tests.servers.post import Post
from tests.servers.sending import connect_account
from tests.servers.smtp import RecordingSmtp


@pytest.fixture
async def post(api: Api, private_servers: None, smtp: RecordingSmtp, dovecot: Dovecot, mail_user: str) -> Post:
    """Support's account, of which the folder Projects is not fetched."""
    account_id = await connect_account(api.support, smtp, dovecot, mail_user)
    await dovecot.create(mail_user, "Projects")
    await execute("INSERT INTO folders (account_id, name, role, chosen) VALUES ($1, 'Projects', '', false)", account_id)
    return Post(api, dovecot, mail_user, account_id, api.support)


async def moved_away(post: Post, target: str | None) -> int:
    """A mail that another program has moved out of the inbox, or deleted, some time ago; answers its conversation."""
    conversation_id = await post.arrive()
    await execute("UPDATE conversations SET message_count = 1")
    if target is not None:
        await post.dovecot.move(post.user, "INBOX", "1", target)
    else:
        await post.dovecot.expunge(post.user, "INBOX", "1")
    await remove_placements(await post.key(), [1])
    return conversation_id


async def shown(post: Post, view: str = "open") -> list[int]:
    page = await post.api.ana.get(f"/mailboxes/{post.mailbox_id}/conversations", ConversationPage, view=view)
    return [item.row.id for item in page.items]


async def test_what_was_moved_where_nothing_is_fetched_is_hidden_and_comes_back(post: Post) -> None:
    conversation_id = await moved_away(post, "Projects")
    assert await shown(post) == [conversation_id], "it may be on its way"
    await settle_removed(post.mailbox_id, 0)
    assert (await shown(post), await shown(post, "trash")) == ([], [])
    assert await post.here() == await post.there()
    row = await fetch_row("SELECT status, hidden FROM conversations WHERE id = $1", conversation_id)
    assert row is not None
    assert (row["status"], row["hidden"]) == ("open", True)

    await post.dovecot.move(post.user, "Projects", "1", "INBOX")
    [(uid, raw)] = (await post.dovecot.messages(post.user)).items()
    received_at = await fetch_value("SELECT stored_at FROM messages")
    back = Fetched(uid=uid, flags=frozenset(), received_at=received_at, raw=raw, parsed=parse_message(raw))
    await execute("UPDATE messages SET content_digest = $1", back.prepared.content_digest)
    await store_fetched(await post.key(), [back], arrived=True)
    assert await shown(post) == [conversation_id]


@pytest.mark.parametrize("target", ["Trash", None])
async def test_what_was_deleted_is_in_the_trash(post: Post, target: str | None) -> None:
    await execute(
        "INSERT INTO folders (account_id, name, role, chosen) SELECT id, 'Trash', 'trash', false "
        "FROM mail_accounts WHERE id = $1",
        post.account_id,
    )
    conversation_id = await moved_away(post, target)
    await settle_removed(post.mailbox_id, 0)
    assert (await shown(post), await shown(post, "trash")) == ([], [conversation_id])


async def test_while_the_server_cannot_be_asked_nothing_counts_as_deleted(post: Post) -> None:
    conversation_id = await moved_away(post, "Projects")
    await execute("UPDATE mail_accounts SET imap_port = 1")
    with pytest.raises(TryAgain):
        await settle_removed(post.mailbox_id, 0)
    assert await shown(post) == [conversation_id]
