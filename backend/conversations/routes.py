"""Conversations over HTTP."""

from typing import Literal

from litestar import Router, delete, get, post, put

from backend.access.asker import Asker
from backend.access.classes import access
from backend.conversations import (
    actions,
    blocking,
    commenting,
    deleting,
    following,
    many,
    merging,
    moving,
    queries,
    reminders,
    sharing,
    splitting,
    starring,
    unmerging,
)
from backend.conversations.contracts import (
    AddComment,
    AddPerson,
    Assign,
    BlockedSender,
    BlockSender,
    ChangeMany,
    Comment,
    CommentRevision,
    ConversationDetail,
    ConversationItem,
    ConversationPage,
    EditComment,
    EmptiedTrash,
    ListView,
    ManyChanged,
    MergeConversations,
    MoveConversation,
    SetFollowing,
    SetReaction,
    SetRead,
    SetReminder,
    SetStar,
    SetStatus,
    SetVisibility,
    ShareConversation,
    SplitConversation,
    TakeMergeBack,
)


@get("/mailboxes/{mailbox_id:int}/conversations", **access("mailbox"))
async def list_conversations(
    asker: Asker, mailbox_id: int, view: ListView = "open", cursor: str | None = None, limit: int = 50
) -> ConversationPage:
    """One page of a mailbox, newest first."""
    return await queries.list_conversations(asker, mailbox_id=mailbox_id, view=view, cursor=cursor, limit=limit)


@post("/mailboxes/{mailbox_id:int}/read-all", status_code=204, **access("mailbox"))
async def read_all(asker: Asker, mailbox_id: int) -> None:
    """Everything that has arrived so far counts as read."""
    await actions.read_all(asker, mailbox_id)


@get("/my-work", **access("signed_in"))
async def my_work(
    asker: Asker, view: Literal["mine", "mentions", "reminders", "shared"] = "mine", cursor: str | None = None
) -> ConversationPage:
    """What is assigned to the person, mentions them, or has a reminder of theirs, in all mailboxes; or what is shared
    with them out of mailboxes that they cannot open."""
    return await queries.my_work(asker, view=view, cursor=cursor)


@get("/conversations/{conversation_id:int}", **access("conversation"))
async def read_conversation(asker: Asker, conversation_id: int) -> ConversationDetail:
    """Everything the conversation pane shows. The address of a joined conversation answers with the one it is in."""
    return await queries.read_conversation(asker, conversation_id)


@delete("/conversations/{conversation_id:int}", **access("handling"))
async def delete_conversation(asker: Asker, conversation_id: int) -> None:
    """For good, with everything in it; only from the Trash, by those who may."""
    await deleting.delete_conversation(asker, conversation_id)


@post("/mailboxes/{mailbox_id:int}/empty-trash", status_code=200, **access("mailbox"))
async def empty_trash(asker: Asker, mailbox_id: int) -> EmptiedTrash:
    """Delete for good what the person sees in the mailbox's Trash, as far as one request goes (`left`)."""
    return await deleting.empty_trash(asker, mailbox_id)


@post("/conversations/many", status_code=200, **access("signed_in"))
async def change_many(asker: Asker, data: ChangeMany) -> ManyChanged:
    """One change to each of many conversations. What is refused, or out of sight, is told one by one."""
    return await many.change_many(asker, data)


@put("/conversations/{conversation_id:int}/assignee", **access("handling"))
async def assign(asker: Asker, conversation_id: int, data: Assign) -> ConversationItem:
    """Assign to a person, to a team, or to nobody."""
    return await actions.assign_conversation(asker, conversation_id, data)


@put("/conversations/{conversation_id:int}/status", **access("handling"))
async def set_status(asker: Asker, conversation_id: int, data: SetStatus) -> ConversationItem:
    """Open, done, spam or trash."""
    return await actions.set_status(asker, conversation_id, data.status)


@put("/conversations/{conversation_id:int}/star", **access("handling"))
async def set_star(asker: Asker, conversation_id: int, data: SetStar) -> ConversationItem:
    """Star or no star, for everybody who sees it."""
    return await starring.set_star(asker, conversation_id, data.starred)


@put("/conversations/{conversation_id:int}/visibility", **access("handling"))
async def set_visibility(asker: Asker, conversation_id: int, data: SetVisibility) -> ConversationItem:
    """Open to the mailbox, private, or confidential."""
    return await actions.set_visibility(asker, conversation_id, data.visibility)


@put("/conversations/{conversation_id:int}/read", **access("conversation"))
async def set_read(asker: Asker, conversation_id: int, data: SetRead) -> ConversationItem:
    """Read or unread, for the asking person alone."""
    return await actions.set_read(asker, conversation_id, data.read)


@put("/conversations/{conversation_id:int}/following", **access("conversation"))
async def set_following(asker: Asker, conversation_id: int, data: SetFollowing) -> ConversationItem:
    """Be told of what is said and written in it, or no more."""
    return await following.set_following(asker, conversation_id, data.following)


@put("/conversations/{conversation_id:int}/reminder", **access("conversation"))
async def set_reminder(asker: Asker, conversation_id: int, data: SetReminder) -> ConversationItem:
    """Remind the asking person at that moment, or hide it from them until then."""
    return await reminders.set_reminder(asker, conversation_id, data)


@delete("/conversations/{conversation_id:int}/reminder", status_code=200, **access("conversation"))
async def clear_reminder(asker: Asker, conversation_id: int) -> ConversationItem:
    """No reminder, and not hidden, for the asking person."""
    return await reminders.clear_reminder(asker, conversation_id)


@post("/conversations/{conversation_id:int}/comments", **access("conversation"))
async def add_comment(asker: Asker, conversation_id: int, data: AddComment) -> Comment:
    """Comment beside the mail."""
    return await actions.add_comment(asker, conversation_id, data)


@put("/comments/{comment_id:int}", **access("conversation"))
async def edit_comment(asker: Asker, comment_id: int, data: EditComment) -> Comment:
    """Let one's own comment say something else."""
    return await commenting.edit_comment(asker, comment_id, data)


@delete("/comments/{comment_id:int}", status_code=200, **access("conversation"))
async def delete_comment(asker: Asker, comment_id: int) -> Comment:
    """Take one's own comment away; that there was one stays to be seen."""
    return await commenting.delete_comment(asker, comment_id)


@get("/comments/{comment_id:int}/revisions", **access("conversation"))
async def revisions(asker: Asker, comment_id: int) -> list[CommentRevision]:
    """What a comment said before, oldest first."""
    return await commenting.revisions_of(asker, comment_id)


@put("/comments/{comment_id:int}/reactions", **access("conversation"))
async def react(asker: Asker, comment_id: int, data: SetReaction) -> Comment:
    """React to a comment, or take that back."""
    return await commenting.react(asker, comment_id, data.emoji, taken_back=not data.on)


@post("/conversations/{conversation_id:int}/shares", **access("handling"))
async def share(asker: Asker, conversation_id: int, data: ShareConversation) -> ConversationItem:
    """Show this one conversation to a person or team that cannot open its mailbox."""
    return await sharing.share_conversation(asker, conversation_id, data)


@delete("/conversations/{conversation_id:int}/shares", status_code=200, **access("handling"))
async def unshare(
    asker: Asker, conversation_id: int, user_id: int | None = None, team_id: int | None = None
) -> ConversationItem:
    """Take a share back."""
    return await sharing.unshare_conversation(
        asker, conversation_id, ShareConversation(user_id=user_id, team_id=team_id)
    )


@post("/conversations/{conversation_id:int}/merge", status_code=200, **access("handling"))
async def merge(asker: Asker, conversation_id: int, data: MergeConversations) -> ConversationItem:
    """Unite it with others of its mailbox. The oldest is what they are then; the others' addresses lead to it."""
    return await merging.merge_conversations(asker, conversation_id, data.other_ids)


@post("/conversations/{conversation_id:int}/unmerge", status_code=200, **access("handling"))
async def unmerge(asker: Asker, conversation_id: int, data: TakeMergeBack) -> ConversationItem:
    """Take a merge back: everything goes back to the conversation that it came from."""
    return await unmerging.take_merge_back(asker, conversation_id, data.activity_id)


@put("/conversations/{conversation_id:int}/mailbox", **access("handling"))
async def move(asker: Asker, conversation_id: int, data: MoveConversation) -> ConversationItem:
    """Into another mailbox that the person can open."""
    return await moving.move_conversation(asker, conversation_id, data.mailbox_id)


@post("/conversations/{conversation_id:int}/split", **access("handling"))
async def split(asker: Asker, conversation_id: int, data: SplitConversation) -> ConversationItem:
    """Give a mail, or it and all after it, a conversation of its own; answers that one."""
    return await splitting.split_conversation(asker, conversation_id, data)


@post("/conversations/{conversation_id:int}/people", **access("handling"))
async def add_person(asker: Asker, conversation_id: int, data: AddPerson) -> ConversationItem:
    """Add a user of the mailbox to those concerned."""
    return await actions.add_person(asker, conversation_id, data.user_id)


@post("/conversations/{conversation_id:int}/block-sender", status_code=200, **access("handling"))
async def block_writer(asker: Asker, conversation_id: int) -> ConversationItem:
    """Whoever wrote its newest mail is blocked in the mailbox, and the conversation is spam."""
    return await blocking.block_writer(asker, conversation_id)


@get("/mailboxes/{mailbox_id:int}/blocked-senders", **access("mailbox"))
async def blocked_senders(mailbox_id: int) -> list[BlockedSender]:
    """Whose mail goes to spam in the mailbox."""
    return await blocking.blocked_senders(mailbox_id)


@post("/mailboxes/{mailbox_id:int}/blocked-senders", **access("mailbox"))
async def block_sender(asker: Asker, mailbox_id: int, data: BlockSender) -> BlockedSender:
    """New mail of this address goes to spam."""
    return await blocking.block_sender(asker, mailbox_id, data)


@delete("/mailboxes/{mailbox_id:int}/blocked-senders", **access("mailbox"))
async def unblock_sender(asker: Asker, mailbox_id: int, address: str) -> None:
    """New mail of this address comes in as any other."""
    await blocking.unblock_sender(asker, mailbox_id, address)


router = Router(
    path="/",
    route_handlers=[
        list_conversations,
        read_all,
        my_work,
        read_conversation,
        change_many,
        delete_conversation,
        empty_trash,
        assign,
        set_status,
        set_visibility,
        set_star,
        set_read,
        set_following,
        set_reminder,
        clear_reminder,
        add_comment,
        edit_comment,
        delete_comment,
        revisions,
        react,
        share,
        unshare,
        merge,
        unmerge,
        split,
        move,
        add_person,
        block_writer,
        blocked_senders,
        block_sender,
        unblock_sender,
    ],
    tags=["conversations"],
)
