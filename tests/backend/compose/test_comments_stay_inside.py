"""What a team says among itself never gets into a mail, whatever is begun beside it and sent."""

import pytest

from backend.compose.contracts import CreateDraft, Draft, DraftKind
from backend.conversations.contracts import AddComment
from backend.database.connection import fetch, fetch_value
from backend.mail.raw import load_raw
from tests.servers.delivery import deliver
from tests.servers.sending import CUSTOMER, Desk

WORD = "Quorvexa"
"""Stands in a comment, in what that said before, in a file's name and in the file; in no mail."""


async def talk(desk: Desk, conversation_id: int) -> int:
    """A comment full of the word; answers the id of its file."""
    path = f"/conversations/{conversation_id}"
    form = {"file": (f"{WORD}.txt", WORD.encode() * 10, "text/plain")}
    file_id = (await desk.api.jonas.request("POST", f"{path}/comment-files", files=form)).json()["id"]
    body = AddComment(text=f"> {WORD}\n\n**{WORD}**, not for the customer", file_ids=[file_id])
    said = await desk.api.jonas.post(f"{path}/comments", body)
    await desk.api.jonas.put(f"/comments/{said['id']}", {"text": f"{WORD} again"})
    return file_id


@pytest.mark.parametrize("kind", ["reply", "reply_all", "forward"])
async def test_no_mail_that_is_begun_from_a_conversation_holds_its_comments(desk: Desk, kind: DraftKind) -> None:
    number = await deliver(desk.api.support)
    await talk(desk, number)
    draft = await desk.api.ana.post("/drafts", CreateDraft(kind=kind, conversation_id=number), Draft)
    assert draft.attachments == [] and WORD not in str(draft)
    outgoing = await desk.send(await desk.save(desk.api.ana, draft, to=[CUSTOMER], text=f"Dear Carla,{draft.text}"))
    raw = await load_raw(await fetch_value("SELECT raw_digest FROM outgoing WHERE id = $1", outgoing.id))
    assert b"Dear Carla" in raw and WORD.encode() not in raw
    assert await desk.attempt(outgoing) == "sent"
    assert WORD.encode() not in desk.smtp.messages[-1].raw


async def test_a_file_of_a_comment_is_no_attachment_of_a_mail(desk: Desk) -> None:
    """They have tables of their own: nothing that makes a mail knows the number of a comment's file."""
    number = await deliver(desk.api.support)
    file_id = await talk(desk, number)
    draft = await desk.reply_draft(number)
    taken_off = await desk.api.ana.request("DELETE", f"/drafts/{draft.id}/attachments/{file_id}")
    assert taken_off.json()["attachments"] == []
    assert await fetch("SELECT 1 FROM composed_attachments") == []
    assert await fetch_value("SELECT count(*) FROM comment_files") == 1
