"""Conversations, and what a team does beside the mail."""

from piccolo.columns import (
    JSONB,
    Array,
    BigInt,
    BigSerial,
    Boolean,
    ForeignKey,
    Integer,
    Text,
    Timestamptz,
)
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults import TimestamptzNow
from piccolo.table import Table

from backend.mailboxes.tables import Mailbox
from backend.people.tables import Team, User


class Conversation(Table, tablename="conversations"):
    """The shared state. The actions keep the columns after `version`, so that a list reads one table."""

    id = BigSerial(primary_key=True)
    mailbox_id = ForeignKey(Mailbox, null=False, on_delete=OnDelete.cascade)
    subject = Text()
    status = Text(default="open")
    visibility = Text(default="open")
    assignee_id = ForeignKey(User, null=True, default=None, on_delete=OnDelete.set_null)
    assigned_team_id = ForeignKey(Team, null=True, default=None, on_delete=OnDelete.set_null)
    joined_into = BigInt(null=True, default=None, help_text="Redirects there; hidden everywhere.")
    addressed = Array(base_column=Text(), default=list, help_text="Lower-case To and Cc addresses.")
    version = BigInt(default=0)
    correspondents = JSONB(default="[]")
    message_count = Integer(default=0)
    comment_count = Integer(default=0)
    snippet = Text()
    last_at = Timestamptz(default=TimestamptzNow())
    last_arrival = BigInt(default=0)
    last_direction = Text(default="incoming")
    has_attachments = Boolean(default=False)
    tag_ids = Array(base_column=BigInt(), default=list)
    follower_ids = Array(base_column=BigInt(), default=list)
    unfollowed_ids = Array(base_column=BigInt(), default=list, help_text="Who left, until they act here again.")
    shared = Boolean(default=False, help_text="It has a row in conversation_shares.")
    starred = Boolean(default=False, help_text="One of its messages is flagged, there or by an open wish.")
    moved_from = Array(
        base_column=BigInt(), default=list, help_text="Mailboxes that it was moved out of: replies there follow it."
    )
    titled = Boolean(default=False, help_text="A person gave it its subject; else it is that of its first mail.")
    hidden = Boolean(default=False, help_text="All its messages are hidden: it stands in no list.")
    created_at = Timestamptz(default=TimestamptzNow())


class ConversationPerson(Table, tablename="conversation_people"):
    """Who is concerned beyond the assignee: mentioned, added, or closed it."""

    id = BigSerial(primary_key=True)
    conversation_id = ForeignKey(Conversation, null=False, on_delete=OnDelete.cascade)
    user_id = ForeignKey(User, null=False, on_delete=OnDelete.cascade, index=True)
    reason = Text(help_text="mentioned, added or closed")


class ConversationShare(Table, tablename="conversation_shares"):
    """A person or a team that may see this one conversation, as long as it is open to its mailbox."""

    id = BigSerial(primary_key=True)
    conversation_id = ForeignKey(Conversation, null=False, on_delete=OnDelete.cascade, index=True)
    user_id = ForeignKey(User, null=True, default=None, on_delete=OnDelete.cascade, index=True)
    team_id = ForeignKey(Team, null=True, default=None, on_delete=OnDelete.cascade, index=True)
    shared_by = BigInt()
    created_at = Timestamptz(default=TimestamptzNow())


class ConversationSplit(Table, tablename="conversation_splits"):
    """A person split one off the other: mail never joins these two."""

    id = BigSerial(primary_key=True)
    conversation_id = ForeignKey(Conversation, null=False, on_delete=OnDelete.cascade)
    split_id = ForeignKey(Conversation, null=False, on_delete=OnDelete.cascade, index=True)


class ConversationMerge(Table, tablename="conversation_merges"):
    """A merge that a person made and that can be taken back: what everything was before it."""

    id = BigSerial(primary_key=True)
    conversation_id = ForeignKey(Conversation, null=False, on_delete=OnDelete.cascade, index=True)
    activity_id = BigInt(unique=True, help_text="The line of the trail that tells of it.")
    kept = JSONB(help_text="backend.conversations.kept_merges.Kept")


class ReadMark(Table, tablename="read_marks"):
    id = BigSerial(primary_key=True)
    conversation_id = ForeignKey(Conversation, null=False, on_delete=OnDelete.cascade)
    user_id = ForeignKey(User, null=False, on_delete=OnDelete.cascade)
    read_up_to = BigInt(default=0)
    forced_unread = Boolean(default=False)
    revision = BigInt(default=0)
    remind_at = Timestamptz(null=True, default=None)
    remind_kind = Text(default="", help_text="reminder, snooze, or empty")
    remind_if_silent = Boolean(default=False)
    remind_due = Boolean(default=False)
    comments_read_up_to = BigInt(default=0, help_text="The newest comment that this person has read.")


class Comment(Table, tablename="comments"):
    id = BigSerial(primary_key=True)
    conversation_id = ForeignKey(Conversation, null=False, on_delete=OnDelete.cascade, index=True)
    author_id = ForeignKey(User, null=False, on_delete=OnDelete.restrict)
    text = Text()
    mention_ids = Array(base_column=BigInt(), default=list)
    team_mention_ids = Array(base_column=BigInt(), default=list)
    created_at = Timestamptz(default=TimestamptzNow())
    edited_at = Timestamptz(null=True, default=None)
    deleted_at = Timestamptz(null=True, default=None, help_text="Its text is gone; the line that it was deleted stays.")
    link_ids = Array(base_column=BigInt(), default=list, help_text="Conversations meant by `#123` in its text.")


class CommentFile(Table, tablename="comment_files"):
    """A file of a comment. Until the comment is said (`comment_id` null) it is its uploader's alone."""

    id = BigSerial(primary_key=True)
    conversation_id = ForeignKey(Conversation, null=False, on_delete=OnDelete.cascade, index=True)
    comment_id = ForeignKey(Comment, null=True, default=None, on_delete=OnDelete.cascade, index=True)
    uploader_id = ForeignKey(User, null=False, on_delete=OnDelete.cascade, index=True)
    filename = Text()
    content_type = Text()
    size = BigInt()
    digest = Text(help_text="SHA-256: its key in the blob store.")
    uploaded_at = Timestamptz(default=TimestamptzNow())


class CommentRevision(Table, tablename="comment_revisions"):
    """What a comment said before it was edited or deleted."""

    id = BigSerial(primary_key=True)
    comment_id = ForeignKey(Comment, null=False, on_delete=OnDelete.cascade, index=True)
    text = Text()
    at = Timestamptz(default=TimestamptzNow(), help_text="Until when it said so.")


class CommentReaction(Table, tablename="comment_reactions"):
    id = BigSerial(primary_key=True)
    comment_id = ForeignKey(Comment, null=False, on_delete=OnDelete.cascade)
    user_id = ForeignKey(User, null=False, on_delete=OnDelete.cascade)
    emoji = Text()


class Activity(Table, tablename="activities"):
    id = BigSerial(primary_key=True)
    conversation_id = ForeignKey(Conversation, null=False, on_delete=OnDelete.cascade, index=True)
    kind = Text()
    actor_id = BigInt(null=True, default=None)
    subject_id = BigInt(null=True, default=None)
    value = Text()
    at = Timestamptz(default=TimestamptzNow())


class ThreadLink(Table, tablename="thread_links"):
    """The keys that messages left in their mailbox, by which later ones find their conversation."""

    id = BigSerial(primary_key=True)
    mailbox_id = ForeignKey(Mailbox, null=False, on_delete=OnDelete.cascade)
    link = Text(help_text="A key of sync.mime.threading.")
    conversation_id = ForeignKey(Conversation, null=False, on_delete=OnDelete.cascade, index=True)
    at = Timestamptz(null=True, default=None, help_text="Of a subject key: the date of its message.")
