"""Conversations, comments and activity as they cross the wire."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from backend.compose.contracts import Draft, Outgoing
from backend.contacts.contracts import Contact
from backend.contracts import Contract, Moment, StreamPosition
from backend.documents.contracts import SharedFile
from backend.mail.contracts import MailAddress, MessageBody, MessageItem
from backend.meetings.contracts import Meeting
from backend.tags.contracts import ChangeTags

Status = Literal["open", "done", "spam", "trash"]
Visibility = Literal["open", "private", "confidential"]
ListView = Literal["open", "unassigned", "mine", "done", "trash", "spam", "all"]


class ConversationRow(Contract):
    """The team's view of a conversation: the same for everybody who sees it.

    `version` grows with every change, so that a late row never replaces a newer one. `last_arrival` is the number
    of the newest incoming message (0 for history): above a person's mark, the conversation is unread for them.
    `outbox` names the worst state among its mails that have not left. `last_comment_id` is its newest comment that
    stands (0 for none): above a person's mark, it has comments that are new to them.
    """

    id: int
    mailbox_id: int
    subject: str
    correspondents: list[MailAddress]
    message_count: int
    snippet: str
    last_at: datetime
    last_arrival: int
    last_direction: Literal["incoming", "outgoing"]
    status: Status
    visibility: Visibility
    assignee_id: int | None
    assigned_team_id: int | None
    has_attachments: bool
    comment_count: int
    draft_author_ids: list[int]
    outbox: str
    version: int
    tag_ids: list[int] = []
    last_comment_id: int = 0
    follower_ids: list[int] = []
    shared_user_ids: list[int] = []
    shared_team_ids: list[int] = []
    """Who may see it beside the users of its mailbox, while it is open to that."""
    starred: bool = False
    """One of its mails is flagged: the same star for everybody who sees it, and in other mail programs."""


class Reminder(Contract):
    """When a person wants to see a conversation again; a snooze hides it until then. `if_silent`: unless new mail
    comes before. `due`: its moment has come."""

    at: datetime
    kind: Literal["reminder", "snooze"]
    if_silent: bool
    due: bool


class Mark(Contract):
    """One person's read state of one conversation, of its mail and of its comments, and their reminder. The higher
    `revision` wins."""

    conversation_id: int
    read_up_to: int
    forced_unread: bool
    revision: int
    reminder: Reminder | None = None
    comments_read_up_to: int = 0

    @property
    def snoozed(self) -> bool:
        """Whether the conversation is hidden from the person's open lists."""
        return self.reminder is not None and self.reminder.kind == "snooze" and not self.reminder.due


class ConversationItem(Contract):
    row: ConversationRow
    mark: Mark


class ConversationPage(Contract):
    """Newest first; `next_cursor` fetches the following rows. `positions` are of the same moment as the rows."""

    items: list[ConversationItem]
    next_cursor: str | None
    positions: list[StreamPosition]


class Reaction(Contract):
    """Who reacted with it, the first one first."""

    emoji: str
    user_ids: list[int]


class CommentFile(Contract):
    """A file of a comment, served at `/comment-files/{id}`."""

    id: int
    filename: str
    content_type: str
    size: int


class Comment(Contract):
    """`text` is as it was written, in a small Markdown: bold, italic, code, links, lists, quotes. `link_ids` are the
    conversations that `#123` in it means. `deleted`: only that there was one is left, and whose."""

    id: int
    conversation_id: int
    author_id: int
    text: str
    mention_ids: list[int]
    team_mention_ids: list[int]
    created_at: datetime
    edited_at: datetime | None = None
    deleted: bool = False
    reactions: list[Reaction] = []
    files: list[CommentFile] = []
    link_ids: list[int] = []


class CommentRevision(Contract):
    """What a comment said, and until when."""

    text: str
    until: datetime


class Activity(Contract):
    """One grey line. `kind` with `subject_id` (a user or a team; where it was moved to, a mailbox) and `value` say what
    was done."""

    id: int
    conversation_id: int
    kind: Literal[
        "assigned",
        "assigned_in_turn",
        "unassigned",
        "assigned_team",
        "status",
        "reopened",
        "visibility",
        "joined",
        "added",
        "blocked",
        "unblocked",
        "tagged",
        "untagged",
        "took_over",
        "shared",
        "shared_team",
        "unshared",
        "unshared_team",
        "starred",
        "unstarred",
        "unjoined",
        "split",
        "split_from",
        "moved",
    ]
    actor_id: int | None
    subject_id: int | None
    value: str
    at: datetime


class EarlierConversation(Contract):
    id: int
    mailbox_id: int
    subject: str
    status: Status
    last_at: datetime


class AlsoIn(Contract):
    """The same mail stands in another mailbox that the person can open."""

    mailbox_id: int
    conversation_id: int


class LinkedConversation(Contract):
    """What `#123` in a comment means, for who can see that. `conversation_id` is where it is now."""

    id: int
    conversation_id: int
    mailbox_id: int
    subject: str
    status: Status


class ConversationDetail(Contract):
    """Everything the conversation pane shows. `viewer_ids` are those who can see it (for the lock); `links` are the
    conversations that its comments link to, those that the asking person can see."""

    row: ConversationRow
    mark: Mark
    messages: list[MessageItem]
    bodies: list[MessageBody]
    comments: list[Comment]
    activities: list[Activity]
    drafts: list[Draft]
    outgoing: list[Outgoing]
    contact: Contact | None
    earlier: list[EarlierConversation]
    also_in: list[AlsoIn]
    viewer_ids: list[int]
    positions: list[StreamPosition]
    links: list[LinkedConversation] = []
    shared_files: list[SharedFile] = []
    """What its mails link to; also those whose link has ended."""
    meetings: list[Meeting] = []
    """What its mails invite to."""


class Assignee(Contract):
    """A person, a team, or (both empty) nobody."""

    user_id: int | None = None
    team_id: int | None = None


class Assign(Contract):
    """To a person, to a team, or (both empty) to nobody.

    `was` is to whom it was assigned as far as one saw. If somebody assigned it to somebody else meanwhile, 409 with the
    code `assigned_meanwhile` says who was faster; without `was` the last one wins.
    """

    user_id: int | None = None
    team_id: int | None = None
    was: Assignee | None = None


class SetStatus(Contract):
    status: Status


class SetVisibility(Contract):
    visibility: Visibility


class SetRead(Contract):
    read: bool


class SetFollowing(Contract):
    following: bool


class SetStar(Contract):
    """On: its newest mail is flagged; off: none is."""

    starred: bool


class SetReminder(Contract):
    """`at` is a moment with its time zone."""

    at: Moment
    kind: Literal["reminder", "snooze"] = "reminder"
    if_silent: bool = False


class AddComment(Contract):
    """Mentions are written as `@Name`; `mention_ids` and `team_mention_ids` say who is meant.

    Links to conversations are written as `#123`; `link_ids` says which numbers are meant so. `file_ids` are of files
    that the person uploaded for it; with one, the text may be empty.
    """

    text: str
    mention_ids: list[int] = []
    team_mention_ids: list[int] = []
    link_ids: list[int] = []
    file_ids: list[int] = []
    share: bool = False
    """Share the conversation with whoever is mentioned and cannot see it."""


class EditComment(Contract):
    """As `AddComment`, the whole of its text; its files stay, and get more by `file_ids`."""

    text: str
    mention_ids: list[int] = []
    team_mention_ids: list[int] = []
    link_ids: list[int] = []
    file_ids: list[int] = []


Emoji = Literal["👍", "❤️", "🎉", "👀", "✅", "😄"]
"""What can be said without words."""


class SetReaction(Contract):
    """`on` false takes it back."""

    emoji: Emoji
    on: bool = True


class MergeConversations(Contract):
    """The other conversations, of the same mailbox."""

    other_ids: list[int]


class MoveConversation(Contract):
    """Into this mailbox, which the person can open, too."""

    mailbox_id: int


class SplitConversation(Contract):
    """`message_id` gets a conversation of its own, with all mail after it (`and_all_after`) and all that was commented
    since (`with_comments`). Without a `subject` it is that of the mail."""

    message_id: int
    and_all_after: bool = False
    with_comments: bool = False
    subject: str | None = None


class TakeMergeBack(Contract):
    """`activity_id`: the line of the conversation's trail that tells of the merge."""

    activity_id: int


class ShareConversation(Contract):
    """With a person or with a team."""

    user_id: int | None = None
    team_id: int | None = None


class AddPerson(Contract):
    """Adds a user of the mailbox to those concerned."""

    user_id: int


class BlockSender(Contract):
    """New mail of this address goes to spam in the mailbox."""

    address: str


class BlockedSender(Contract):
    """An address in lower case, and the user who blocked it."""

    address: str
    blocked_by: int
    at: datetime


class ConversationAdded(Contract, tag="conversation_added"):
    """A conversation began, or came into sight. `mark` is the receiver's own."""

    row: ConversationRow
    mark: Mark | None = None


class ConversationChanged(Contract, tag="conversation_changed"):
    row: ConversationRow
    activity: Activity | None = None


class ConversationGone(Contract, tag="conversation_gone"):
    """Out of sight, deleted, or joined into another.

    True up to this `version` of its row: several streams may tell of one conversation, and none knows how far another
    has been read. A program that has a newer row keeps it, and takes no older one afterwards.
    """

    conversation_id: int
    joined_into: int | None = None
    version: int = 0


class MessageAdded(Contract, tag="message_added"):
    row: ConversationRow
    message: MessageItem


class MessageRemoved(Contract, tag="message_removed"):
    row: ConversationRow
    message_id: int


class HistoryStored(Contract, tag="history_stored"):
    """A batch of old mail was stored: fetch the list again when convenient."""

    mailbox_id: int
    messages: int


class CommentAdded(Contract, tag="comment_added"):
    row: ConversationRow
    comment: Comment


class CommentChanged(Contract, tag="comment_changed"):
    """Edited, deleted, or reacted to."""

    row: ConversationRow
    comment: Comment


class OutgoingChanged(Contract, tag="outgoing_changed"):
    row: ConversationRow
    outgoing: Outgoing


class SharedFileChanged(Contract, tag="shared_file_changed"):
    """A mail of the conversation links to a file: it was sent so, or the file was fetched, or the link closed."""

    row: ConversationRow
    file: SharedFile


class SharedFileGone(Contract, tag="shared_file_gone"):
    """The mail that links to it was taken back."""

    conversation_id: int
    file_id: int


class MeetingChanged(Contract, tag="meeting_changed"):
    """A mail of the conversation tells of a meeting: it was handed to the outbox, or somebody answered."""

    row: ConversationRow
    meeting: Meeting


class MeetingGone(Contract, tag="meeting_gone"):
    """The mail that told of it was taken back."""

    conversation_id: int
    meeting_id: int


class MarkChanged(Contract, tag="mark_changed"):
    """To the person's own stream."""

    mailbox_id: int
    mark: Mark


class WatermarkChanged(Contract, tag="watermark_changed"):
    """To the person's own stream: everything in the mailbox up to this arrival counts as read, and so do its comments
    up to `comments_read_from`."""

    mailbox_id: int
    read_from: int
    comments_read_from: int = 0


# ---- the same change to many conversations

MOST_AT_ONCE = 200


class AssignMany(Assign, tag="assignee"):
    """As `Assign`."""


class SetStatusOfMany(SetStatus, tag="status"):
    """As `SetStatus`."""


class SetVisibilityOfMany(SetVisibility, tag="visibility"):
    """As `SetVisibility`."""


class SetReadOfMany(SetRead, tag="read"):
    """As `SetRead`."""


class RemindOfMany(SetReminder, tag="reminder"):
    """As `SetReminder`."""


class ClearRemindersOfMany(Contract, tag="clear_reminder"):
    """No reminder, and not hidden, for the asking person."""


class ChangeTagsOfMany(ChangeTags, tag="tags"):
    """As `ChangeTags`."""


class SetStarOfMany(SetStar, tag="star"):
    """As `SetStar`."""


class DeleteMany(Contract, tag="delete"):
    """For good: only what is in the Trash, and only by those who may. It cannot be taken back."""


class MoveMany(MoveConversation, tag="mailbox"):
    """As `MoveConversation`."""


ManyChange = (
    AssignMany
    | MoveMany
    | SetStatusOfMany
    | SetVisibilityOfMany
    | SetReadOfMany
    | RemindOfMany
    | ClearRemindersOfMany
    | ChangeTagsOfMany
    | SetStarOfMany
    | DeleteMany
)


class ChangeMany(Contract):
    """One change to each of these conversations; `change.type` names it."""

    ids: Annotated[list[int], msgspec.Meta(min_length=1, max_length=MOST_AT_ONCE)]
    change: ManyChange


class RefusedChange(Contract):
    """Why one of many was not changed: in words for people, and `error` for programs."""

    conversation_id: int
    error: str
    message: str
    remedy: str


class ManyChanged(Contract):
    """What was changed, as it now stands, or deleted for good; and what was not."""

    items: list[ConversationItem]
    refused: list[RefusedChange]
    deleted: list[int] = []


class EmptiedTrash(Contract):
    """How many conversations are gone, how many are left for another request, and what was not deleted and why."""

    deleted: int
    left: int
    refused: list[RefusedChange]
