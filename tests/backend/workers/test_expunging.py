"""What was deleted for good here is expunged from a real Dovecot, whatever is interrupted, and is not met again."""

from __future__ import annotations

from collections.abc import Callable

from backend.database.connection import execute, fetch_value
from backend.mail.actions import store_fetched
from backend.mail.fetched import Fetched, FolderKey
from backend.mail.intents import look_after_forgotten
from backend.workers.carrying import carry_out
from sync.mime.parse import parse_message
from tests.backend.workers.test_carrying import Post, post
from tests.servers.api import Api
from tests.servers.delivery import write_mail
from tests.servers.dovecot import Dovecot
from tests.servers.sending import connect_account
from tests.servers.smtp import RecordingSmtp

__all__ = ["post"]


async def trash(at: Post, number: int = 1) -> int:
    """Mails of one conversation lie in the Trash, here and there."""
    conversation_id = await at.arrive(number)
    await at.status(conversation_id, "trash")
    await carry_out(at.account_id)
    assert await at.folders_of(conversation_id) == ["Trash"] * number
    return conversation_id


async def left() -> int:
    return await fetch_value("SELECT count(*) FROM placements WHERE deleted_id IS NOT NULL")


async def test_it_is_expunged_and_others_are_not(post: Post) -> None:
    kept, going = await trash(post), await trash(post, 2)
    await post.api.ana.delete(f"/conversations/{going}")
    assert (await post.there(), await left()) == ({"Trash": (await post.there())["Trash"]}, 2)
    for _ in range(2):
        await carry_out(post.account_id)
        assert await post.folders_of(kept) == ["Trash"]
        assert (await post.there(), await left()) == (await post.here(), 0)


async def test_it_is_expunged_where_it_stands_when_the_move_to_the_trash_was_not_carried_out(post: Post) -> None:
    going = await post.arrive()
    await post.status(going, "trash")
    await post.api.ana.delete(f"/conversations/{going}")
    await carry_out(post.account_id)
    assert (await post.there(), await left()) == ({}, 0)


async def test_what_a_visit_did_not_write_down_is_written_by_the_next(post: Post) -> None:
    """The server expunged it, and the process died before that was stored."""
    going = await trash(post)
    await post.api.ana.delete(f"/conversations/{going}")
    with post.dovecot.other_client(post.user) as client:
        client.select("Trash")
        client.store("1:*", "+FLAGS", "\\Deleted")
        client.expunge()
    await carry_out(post.account_id)
    assert (await left(), await post.open()) == (0, 0)


async def test_one_that_is_met_in_another_folder_goes_too(post: Post) -> None:
    going = await trash(post)
    [message] = (await post.dovecot.messages(post.user, "Trash")).values()
    await execute("UPDATE messages SET content_digest = $1", parse_message(message).digest)
    await post.api.ana.delete(f"/conversations/{going}")
    await carry_out(post.account_id)
    await post.dovecot.create(post.user, "Projects")
    await post.dovecot.append(post.user, "Projects", message, write_mail(message_id="<other@customer.example>"))
    await meet(post, "Projects")
    assert await left() == 1
    await carry_out(post.account_id)
    assert (await post.there(), await left()) == ({"Projects": ["other@customer.example"]}, 0)
    assert await fetch_value("SELECT count(*) FROM conversations WHERE id = $1", going) == 0


async def test_an_account_that_was_paused_meanwhile_is_caught_up_with(post: Post) -> None:
    going = await trash(post)
    await execute("UPDATE mail_accounts SET paused_at = now()")
    await post.api.ana.delete(f"/conversations/{going}")
    await carry_out(post.account_id)
    assert await left() == 1
    await execute("UPDATE mail_accounts SET paused_at = NULL")
    await execute("DELETE FROM pgqueuer")
    await execute("UPDATE deleted_messages SET at = at - interval '2 hours'")
    await look_after_forgotten()
    assert await fetch_value("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'carry_out'") == 1
    await carry_out(post.account_id)
    assert (await post.there(), await left()) == ({}, 0)


async def test_a_server_that_expunges_everything_marked_takes_nobody_elses_along(
    api: Api, private_servers: None, smtp: RecordingSmtp, make_dovecot: Callable[..., Dovecot]
) -> None:
    dovecot = make_dovecot(without=("UIDPLUS",))
    at = Post(api, dovecot, "ana", await connect_account(api.support, smtp, dovecot, "ana"), api.support)
    going, kept = await trash(at), await trash(at)
    [uid] = [uid for uid, raw in (await dovecot.messages("ana", "Trash")).items()
             if parse_message(raw).message_id == (await at.messages(kept))[0]["message_id"]]  # fmt: skip
    await dovecot.set_flags("ana", "Trash", str(uid), "\\Deleted")
    await at.api.ana.delete(f"/conversations/{going}")
    await carry_out(at.account_id)
    assert len(await dovecot.messages("ana", "Trash")) == 2 and await left() == 1
    assert all("\\Deleted" in flags for flags in (await dovecot.flags("ana", "Trash")).values())
    # Nobody else's is marked any more: the next visit expunges ours.
    await dovecot.set_flags("ana", "Trash", str(uid), "\\Deleted", add=False)
    await at.status(kept, "open")
    await carry_out(at.account_id)
    assert (await at.folders_of(kept), await dovecot.messages("ana", "Trash"), await left()) == (["INBOX"], {}, 0)


async def meet(at: Post, folder: str) -> None:
    """The watcher fetches a folder for the first time."""
    with at.dovecot.other_client(at.user) as client:
        answer = client.status(folder, "(UIDVALIDITY)")[1][0]
    validity = int(answer.split(b"UIDVALIDITY ")[1].split(b")")[0])
    folder_id = await fetch_value(
        "INSERT INTO folders (account_id, name, role, uid_validity) VALUES ($1, $2, '', $3) RETURNING id",
        at.account_id,
        folder,
        validity,
    )
    fence = await fetch_value("SELECT fence FROM mail_accounts WHERE id = $1", at.account_id)
    key = FolderKey(folder_id=folder_id, role="", account_id=at.account_id, mailbox_id=at.mailbox_id, fence=fence)
    batch = [
        Fetched(uid=uid, flags=frozenset(), received_at=parsed.date, raw=raw, parsed=parsed)  # pyright: ignore[reportArgumentType] # our own mail has a date
        for uid, raw in (await at.dovecot.messages(at.user, folder)).items()
        if (parsed := parse_message(raw))
    ]
    await store_fetched(key, batch, arrived=False)
