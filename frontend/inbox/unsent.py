"""Mails that have not left, or not to everybody, and what colleagues are writing."""

from __future__ import annotations

from backend.compose.contracts import Draft, Outgoing
from frontend.faces import first_name, person_face, shown_name
from frontend.inbox.came import paint_came
from frontend.inbox.entries import TEXT_SHOWN, EntryView, entry_of
from frontend.inbox.rows import Tag
from frontend.view import View

OUTGOING_TAGS = {
    "scheduled": Tag(text="Scheduled", tone="accent"),
    "queued": Tag(text="On its way", tone="accent"),
    "sending": Tag(text="On its way", tone="accent"),
    "failed": Tag(text="Not sent", tone="red"),
    "unknown": Tag(text="Perhaps sent", tone="amber"),
    "held": Tag(text="Held", tone="violet"),
    "sent": Tag(text="Not to everybody", tone="amber"),
}
CHOICES = {
    "failed": ["send_again", "edit", "cancel"],
    "unknown": ["was_sent", "send_again", "edit"],
    "held": ["send_anyway", "edit", "cancel"],
    "sent": ["edit", "was_sent"],
    "scheduled": ["send_now", "edit", "cancel"],
}
"""What a person may decide about a mail that has not left, the likeliest first."""


def needs_showing(mail: Outgoing) -> bool:
    """Whether a mail of the outbox stands in the flow: it has not left, or not to everybody."""
    return mail.state not in ("sent", "cancelled") or (mail.state == "sent" and mail.reason != "")


def outgoing_entry(view: View, mail: Outgoing) -> EntryView:
    entry = entry_of(f"o{mail.id}", "outgoing")
    author = view.people.get(mail.author_id)
    entry["id"] = mail.id
    entry["at"] = mail.created_at.isoformat()
    entry["face"] = person_face(author)
    entry["who"] = author.name if author else "Somebody"
    entry["to_whom"] = "to " + ", ".join(first_name(shown_name(each)) for each in mail.to[:3])
    entry["outgoing"] = True
    entry["text"] = mail.text
    entry["tag"] = OUTGOING_TAGS.get(mail.state, Tag(text="", tone=""))
    entry["reason"] = mail.reason
    entry["remedy"] = mail.remedy
    entry["server_words"] = mail.server_words
    entry["refused"] = [f"{each.address}: {each.reason}" for each in mail.recipients if each.state == "refused"]
    entry["choices"] = CHOICES.get(mail.state, [])
    entry["came"] = paint_came(view, mail.came)
    entry["leaves_at"] = mail.send_at.isoformat() if mail.send_at else ""
    return entry


def writing_entry(view: View, draft: Draft) -> EntryView:
    """A colleague's draft: its whole text as it is formatted, as far as it is saved."""
    entry = entry_of(f"d{draft.id}", "writing")
    author = view.people.get(draft.author_id)
    entry["id"] = draft.id
    entry["author"] = draft.author_id
    entry["at"] = draft.updated_at.isoformat()
    entry["face"] = person_face(author)
    entry["who"] = first_name(author.name) if author else "Somebody"
    entry["outgoing"] = draft.kind == "forward"
    entry["to_whom"] = ", ".join(shown_name(each) for each in draft.to[:3])
    entry["snippet"] = " ".join(draft.text[:300].split())
    entry["text"] = draft.text[:TEXT_SHOWN]
    entry["html"] = draft.html or ""
    return entry
