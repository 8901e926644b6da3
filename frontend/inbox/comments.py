"""A comment in the flow."""

from __future__ import annotations

from collections.abc import Mapping

from backend.conversations.contracts import Comment, CommentFile, LinkedConversation
from frontend.faces import first_name, person_face
from frontend.inbox.comment_text import Link, comment_html
from frontend.inbox.entries import EntryView, FileView, ReactionView, entry_of
from frontend.sizes import size_words
from frontend.view import View

PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp"})
"""Files of these types are shown small beside a comment."""


def comment_entry(view: View, comment: Comment, links: Mapping[int, Link]) -> EntryView:
    entry = entry_of(f"c{comment.id}", "comment")
    author = view.people.get(comment.author_id)
    entry["id"] = comment.id
    entry["at"] = comment.created_at.isoformat()
    entry["face"] = person_face(author)
    entry["who"] = first_name(author.name) if author else "Somebody"
    entry["text"] = comment.text
    entry["mine"] = comment.author_id == view.me.person.id
    entry["edited_at"] = comment.edited_at.isoformat() if comment.edited_at else ""
    entry["deleted"] = comment.deleted
    entry["reactions"] = [
        ReactionView(
            emoji=each.emoji,
            count=len(each.user_ids),
            names=", ".join(view.people[i].name for i in each.user_ids if i in view.people),
            mine=view.me.person.id in each.user_ids,
        )
        for each in comment.reactions
    ]
    people = [view.people[i].name for i in comment.mention_ids if i in view.people]
    teams = [view.teams[i].name for i in comment.team_mention_ids if i in view.teams]
    names = [*people, *(first_name(name) for name in people), *teams]
    entry["html"] = comment_html(comment.text, names, [links.get(i) or Link(i) for i in comment.link_ids])
    entry["files"] = [_comment_file(each) for each in comment.files]
    return entry


def _comment_file(file: CommentFile) -> FileView:
    url = f"/api/v1/comment-files/{file.id}"
    return FileView(
        id=file.id,
        name=file.filename,
        size=size_words(file.size),
        url=url,
        picture=f"{url}/picture" if file.content_type in PICTURES else "",
    )


def link_of(view: View, link: LinkedConversation) -> Link:
    """A link of a comment, as the conversation it leads to stands now."""
    row = view.rows.get(link.conversation_id)
    subject, status = (row.subject, row.status) if row else (link.subject, link.status)
    return Link(
        link.id,
        link.conversation_id,
        row.mailbox_id if row else link.mailbox_id,
        subject.strip() or "(no subject)",
        status.capitalize(),
    )
