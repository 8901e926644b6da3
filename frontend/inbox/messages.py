"""A mail in the flow, folded or with its text and files."""

from __future__ import annotations

from backend.mail.contracts import AttachmentItem, MailAddress, MessageBody, MessageItem
from frontend.faces import address_face, first_name, person_face, shown_name
from frontend.inbox.entries import TEXT_SHOWN, EntryView, FileView, entry_of
from frontend.inbox.opened import Opened
from frontend.sizes import size_words
from frontend.view import View

CALENDARS = frozenset({"text/calendar", "application/ics"})
"""Of a mail of ours that invites: the meeting itself stands below it."""


def message_entry(
    view: View, message: MessageItem, body: MessageBody | None, is_open: bool, opened: Opened
) -> EntryView:
    entry = entry_of(f"m{message.id}", "message")
    author = view.people.get(message.author_id or 0)
    entry["id"] = message.id
    entry["at"] = message.date.isoformat()
    entry["face"] = person_face(author) if author else address_face(message.sender)
    entry["who"] = author.name if author else _name(message.sender)
    entry["address"] = message.sender.address if message.sender else ""
    entry["to_whom"] = _recipients(view, message)
    entry["open"] = is_open
    entry["outgoing"] = message.direction == "outgoing"
    entry["snippet"] = message.snippet
    entry["raw"] = f"/api/v1/messages/{message.id}/raw"
    if not is_open:
        return entry
    entry["files"] = [
        _file(message.id, each)
        for each in message.attachments
        if not each.inline and not (message.meeting_id and each.content_type in CALENDARS)
    ]
    entry["problems"] = " ".join(message.problems)
    if body is None:
        return entry
    entry["quoted_open"] = message.id in opened.quotes
    if body.html_url:
        entry["images"] = message.id in opened.images
        # Quoted text comes folded inside the frame's own document.
        entry["frame"] = f"{body.html_url}?remote={int(entry['images'])}&quoted={int(body.has_quoted_html)}"
        entry["blocked"] = 0 if entry["images"] else body.blocked_remote
        return entry
    whole = message.id in opened.whole
    entry["text"] = body.text if whole else body.text[:TEXT_SHOWN]
    entry["cut"] = body.cut or (not whole and len(body.text) > TEXT_SHOWN)
    entry["quoted"] = body.quoted_text[:TEXT_SHOWN] if entry["quoted_open"] else ("yes" if body.quoted_text else "")
    return entry


def _name(address: MailAddress | None) -> str:
    return shown_name(address) if address else "Unknown sender"


def _recipients(view: View, message: MessageItem) -> str:
    ours = {each.address.lower(): each.name for each in view.mailboxes.values()}
    names = [ours.get(each.address.lower()) or first_name(shown_name(each)) for each in message.to[:3]]
    more = len(message.to) + len(message.cc) - len(names)
    if not names:
        return "to nobody named"
    return "to " + ", ".join(names) + (f" and {more} more" if more > 0 else "")


def _file(message_id: int, file: AttachmentItem) -> FileView:
    return FileView(
        id=0,
        name=file.filename or "unnamed",
        size=size_words(file.size),
        url=f"/api/v1/messages/{message_id}/attachments/{file.position}",
        picture="",
    )
