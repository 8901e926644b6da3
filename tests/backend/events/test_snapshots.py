"""For every action, and for each of the cast: snapshot before + events = snapshot after.

A deed below is one change made through the API (or by arriving mail). Before it, everybody's program took a snapshot;
after it, what their program was told must be what a fresh snapshot shows them.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import websockets
from pycrdt import XmlElement, XmlText

from backend.accounts.actions import report_state
from backend.accounts.contracts import AccountState
from backend.compose.actions import many
from backend.compose.actions.results import record_acceptance
from backend.compose.actions.together import follow_document, hold_document, store_change
from backend.compose.contracts import (
    CreateDraft,
    Draft,
    Outgoing,
    QuotedMessage,
    RescheduleOutgoing,
    SaveDraft,
    SendDraft,
)
from backend.compose.together.document import Document
from backend.conversations.contracts import (
    AddComment,
    AddPerson,
    Assign,
    Comment,
    ConversationDetail,
    ConversationItem,
    ConversationPage,
    EditComment,
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
from backend.conversations.reminders import tell_due
from backend.database.connection import execute, fetch_value
from backend.events.contracts import RefusedFrame, frame_decoder
from backend.events.record import action
from backend.mail.contracts import MailAddress
from backend.mailboxes.contracts import (
    CreateMailbox,
    InTurn,
    MailboxSettings,
    SetMailboxMembers,
    Sorted,
    SortUnsorted,
    Unsorted,
    UpdateMailbox,
)
from backend.meetings.answers import take_meeting_answer
from backend.notifications.contracts import NotificationSettings, QuietHours, Wanted
from backend.people.contracts import SaveTeam, SetShortcuts, Team, UpdateOrganisation, UpdatePerson, UpdateProfile
from backend.tags.contracts import ChangeTags, SaveTag, Tag
from backend.views.contracts import Filters, SavedView, SaveView
from tests.backend.compose.test_meetings import reply
from tests.servers.api import Api
from tests.servers.arriving import Arriving, message_id_of
from tests.servers.delivery import write_mail
from tests.servers.live_client import LiveClient
from tests.servers.together import Sheet
from tests.servers.views import differences


@dataclass
class Scene:
    """Support has three conversations: open, private, and confidential to Jonas and the team Service (Ana)."""

    api: Api
    inbox: Arriving
    toms: Arriving
    team: Team
    mails: list[bytes]
    uids: list[int]
    open: int
    private: int
    confidential: int

    @property
    def conversations(self) -> list[int]:
        return [self.open, self.private, self.confidential]


async def set_the_scene(api: Api) -> Scene:
    inbox = await Arriving.into(api.support)
    mails = [write_mail(subject=f"Subject {number}", text=f"Text {number}.") for number in range(3)]
    uids = await inbox.deliver(*mails)
    page = await api.ana.get(f"/mailboxes/{api.support}/conversations", ConversationPage)
    ids = sorted(item.row.id for item in page.items)
    team = await api.ana.post("/teams", SaveTeam(name="Service", member_ids=[api.ana.user_id]), Team)
    await api.ana.put(f"/conversations/{ids[1]}/visibility", SetVisibility(visibility="private"))
    await api.jonas.put(f"/conversations/{ids[2]}/visibility", SetVisibility(visibility="confidential"))
    toms = await Arriving.into(api.toms_mailbox)
    return Scene(api, inbox, toms, team, mails, uids, *ids)


TOMORROW = datetime.now(UTC) + timedelta(days=1)

Deed = Callable[[Scene], Awaitable[object]]
DEEDS: dict[str, Deed] = {}


def deed(made: Deed) -> Deed:
    DEEDS[getattr(made, "__name__", "")] = made
    return made


@deed
async def commented_and_taken_back(scene: Scene) -> None:
    for number in scene.conversations:
        said = await scene.api.jonas.post(f"/conversations/{number}/comments", AddComment(text="No."), Comment)
        await scene.api.jonas.put(f"/comments/{said.id}", EditComment(text="Yes."))
        await scene.api.jonas.put(f"/comments/{said.id}/reactions", SetReaction(emoji="✅"))
        await scene.api.jonas.delete(f"/comments/{said.id}")


@deed
async def commented_with_files_and_links(scene: Scene) -> None:
    for number in scene.conversations:
        path = f"/conversations/{number}"
        upload = {"file": ("stock.txt", b"7", "text/plain")}
        ids = [
            (await scene.api.jonas.request("POST", f"{path}/comment-files", files=upload)).json()["id"] for _ in "ab"
        ]
        body = AddComment(text=f"See #{scene.private}", file_ids=ids, link_ids=[scene.private])
        await scene.api.jonas.post(f"{path}/comments", body, Comment)
        await scene.api.jonas.delete(f"/comment-files/{ids[0]}")


@deed
async def comments_read(scene: Scene) -> None:
    await commented_with_mentions(scene)
    for number in (scene.open, scene.private):
        await scene.api.ana.put(f"/conversations/{number}/read", SetRead(read=True))
    await commented_and_taken_back(scene)


@deed
async def comments_read_by_reading_all(scene: Scene) -> None:
    await commented_with_mentions(scene)
    await scene.api.ana.post(f"/mailboxes/{scene.api.support}/read-all")
    await scene.api.jonas.post(f"/conversations/{scene.open}/comments", AddComment(text="And this."))


@deed
async def commented_conversations_joined(scene: Scene) -> None:
    await commented_with_mentions(scene)
    await scene.api.ana.put(f"/conversations/{scene.private}/read", SetRead(read=True))
    await a_late_mail_joined_conversations(scene)


@deed
async def a_commented_mailbox_was_joined(scene: Scene) -> None:
    await commented_with_mentions(scene)
    await members_came_and_went(scene)


@deed
async def starred(scene: Scene) -> None:
    for number in scene.conversations:
        await scene.api.jonas.put(f"/conversations/{number}/star", SetStar(starred=True))
    await scene.api.jonas.put(f"/conversations/{scene.open}/star", SetStar(starred=False))
    await scene.inbox.flag(scene.uids[0], "\\Seen", "\\Flagged")
    await scene.inbox.deliver(write_mail(subject="Flagged as it came"), flags=["\\Flagged"])
    await scene.inbox.expunge(scene.uids[0])


@deed
async def tagged(scene: Scene) -> None:
    tag = await scene.api.jonas.post("/tags", SaveTag(name="Warranty"), Tag)
    other = await scene.api.jonas.post("/tags", SaveTag(name="Returns", colour=3), Tag)
    for number in scene.conversations:
        await scene.api.jonas.put(f"/conversations/{number}/tags", ChangeTags(add=[tag.id, other.id]))
    await scene.api.jonas.put(f"/conversations/{scene.open}/tags", ChangeTags(remove=[tag.id]))
    await scene.api.ana.put(f"/tags/{tag.id}", SaveTag(name="Guarantee", colour=5))
    await scene.api.ana.delete(f"/tags/{other.id}")


@deed
async def tagged_in_another_program(scene: Scene) -> None:
    await scene.api.jonas.post("/tags", SaveTag(name="Warranty"), Tag)
    for uid in scene.uids:
        await scene.inbox.flag(uid, "Warranty", "\\Seen")
    await scene.inbox.flag(scene.uids[0])
    await scene.inbox.deliver(write_mail(subject="Marked as it came"), flags=["warranty"])
    await scene.inbox.deliver(write_mail(subject="Old and marked"), flags=["Warranty"], arrived=False)


@deed
async def many_changed_at_once(scene: Scene) -> None:
    for change in (
        {"type": "assignee", "user_id": scene.api.ana.user_id},
        {"type": "visibility", "visibility": "confidential"},
        {"type": "status", "status": "trash"},
        {"type": "read", "read": False},
        {"type": "reminder", "at": TOMORROW},
        {"type": "assignee"},
    ):
        await scene.api.jonas.post("/conversations/many", {"ids": scene.conversations, "change": change})


@deed
async def a_view_shared_changed_and_deleted(scene: Scene) -> None:
    ana, jonas = scene.api.ana, scene.api.jonas
    team = scene.team.id
    mine = await ana.post("/views", SaveView(name="Mine", filters=Filters(assigned="to_me")), SavedView)
    await ana.put(f"/views/{mine.id}", SaveView(name="Ours", filters=Filters(), shared="everybody"))
    other = await ana.post("/views", SaveView(name="Ours", filters=Filters(), shared="team", team_id=team), SavedView)
    everybody = [ana.user_id, jonas.user_id, scene.api.tom.user_id]
    await ana.put(f"/teams/{team}", SaveTeam(name="Service", member_ids=everybody))
    await ana.put(f"/teams/{team}", SaveTeam(name="Service", member_ids=[jonas.user_id]))
    await ana.put(f"/views/{mine.id}", SaveView(name="Ours", filters=Filters(), shared="team", team_id=team))
    away = SaveView(name="Jonas's", filters=Filters(), shared="team", team_id=team)
    his = await jonas.post("/views", away, SavedView)
    await ana.delete(f"/views/{mine.id}")
    await ana.put(f"/views/{his.id}", away)
    await ana.delete(f"/teams/{team}")
    await ana.delete(f"/views/{other.id}")


@deed
async def followed_and_left(scene: Scene) -> None:
    for number in scene.conversations:
        await scene.api.jonas.put(f"/conversations/{number}/following", SetFollowing(following=True))
        await scene.api.jonas.post(f"/conversations/{number}/comments", AddComment(text="Look."))
    await scene.api.ana.put(f"/conversations/{scene.open}/following", SetFollowing(following=True))
    await scene.api.ana.put(f"/conversations/{scene.private}/following", SetFollowing(following=True))
    for text in ("First.", "Second."):
        await scene.api.jonas.post(f"/conversations/{scene.open}/comments", AddComment(text=text))
    await scene.inbox.deliver(write_mail(subject="Re: Subject 1", answers=message_id_of(scene.mails[1])))
    await scene.api.jonas.put(f"/conversations/{scene.open}/following", SetFollowing(following=False))


@deed
async def what_followers_were_told_was_read_with_the_conversation(scene: Scene) -> None:
    await followed_and_left(scene)
    await scene.api.ana.put(f"/conversations/{scene.open}/read", SetRead(read=True))
    await scene.api.ana.post(f"/mailboxes/{scene.api.support}/read-all")


@deed
async def what_one_is_told_of_changed(scene: Scene) -> None:
    wanted = NotificationSettings(comment=Wanted(on=False), quiet=QuietHours(on=True, days=(5, 6)))
    await scene.api.jonas.put("/me/notifications", wanted)
    await commented_with_mentions(scene)


@deed
async def shortcuts_were_changed(scene: Scene) -> None:
    await scene.api.jonas.put("/me/shortcuts", SetShortcuts(shortcuts={"done": "y"}))


@deed
async def a_digest_was_chosen(scene: Scene) -> None:
    await scene.api.jonas.put("/me/digest", {"digest": "daily"})


@deed
async def deleted_for_good(scene: Scene) -> None:
    await commented_with_mentions(scene)
    trash = {"ids": scene.conversations, "change": {"type": "status", "status": "trash"}}
    await scene.api.jonas.post("/conversations/many", trash)
    await scene.api.ana.delete(f"/conversations/{scene.open}")
    await scene.api.ana.post(f"/mailboxes/{scene.api.support}/empty-trash")


@deed
async def reminded(scene: Scene) -> None:
    for number in scene.conversations:
        await scene.api.jonas.put(f"/conversations/{number}/reminder", SetReminder(at=TOMORROW))


@deed
async def snoozed_and_cleared(scene: Scene) -> None:
    for number in scene.conversations:
        wanted = SetReminder(at=TOMORROW, kind="snooze")
        await scene.api.jonas.put(f"/conversations/{number}/reminder", wanted)
    await scene.api.jonas.delete(f"/conversations/{scene.open}/reminder")


@deed
async def answered_what_was_snoozed(scene: Scene) -> None:
    wanted = SetReminder(at=TOMORROW, kind="snooze")
    await scene.api.jonas.put(f"/conversations/{scene.open}/reminder", wanted)
    await scene.inbox.deliver(write_mail(subject="Re: Subject 0", answers=message_id_of(scene.mails[0])))


@deed
async def reminders_that_fell_due(scene: Scene) -> None:
    for number in scene.conversations:
        await scene.api.jonas.put(f"/conversations/{number}/reminder", SetReminder(at=TOMORROW))
    await execute("UPDATE read_marks SET remind_at = now() WHERE remind_at IS NOT NULL")
    assert await tell_due() == len(scene.conversations)


@deed
async def assigned_to_a_person(scene: Scene) -> None:
    for number in scene.conversations:
        await scene.api.jonas.put(f"/conversations/{number}/assignee", Assign(user_id=scene.api.ana.user_id))


@deed
async def assigned_to_a_team(scene: Scene) -> None:
    for number in scene.conversations:
        await scene.api.jonas.put(f"/conversations/{number}/assignee", Assign(team_id=scene.team.id))


@deed
async def assigned_away_and_lost_from_sight(scene: Scene) -> None:
    path = f"/conversations/{scene.confidential}/assignee"
    await scene.api.jonas.put(path, Assign(user_id=scene.api.ana.user_id))
    await scene.api.ana.put(path, Assign())


@deed
async def done_and_opened_again(scene: Scene) -> None:
    for number in (scene.open, scene.private):
        await scene.api.ana.put(f"/conversations/{number}/status", SetStatus(status="done"))
    await scene.api.jonas.put(f"/conversations/{scene.open}/status", SetStatus(status="open"))


@deed
async def to_the_trash(scene: Scene) -> None:
    await scene.api.jonas.put(f"/conversations/{scene.confidential}/status", SetStatus(status="trash"))


@deed
async def a_sender_blocked_and_taken_back(scene: Scene) -> None:
    await scene.api.ana.post(f"/conversations/{scene.open}/block-sender")
    await scene.inbox.deliver(write_mail(subject="Once more"))
    await scene.api.jonas.put(f"/conversations/{scene.open}/status", SetStatus(status="open"))


@deed
async def made_private_and_confidential(scene: Scene) -> None:
    await scene.api.ana.put(f"/conversations/{scene.open}/visibility", SetVisibility(visibility="private"))
    await scene.api.ana.put(f"/conversations/{scene.open}/visibility", SetVisibility(visibility="confidential"))


@deed
async def made_open_again(scene: Scene) -> None:
    await scene.api.jonas.put(f"/conversations/{scene.confidential}/visibility", SetVisibility(visibility="open"))


@deed
async def a_person_added(scene: Scene) -> None:
    await scene.api.jonas.post(f"/conversations/{scene.confidential}/people", AddPerson(user_id=scene.api.ana.user_id))


@deed
async def shared_with_a_person(scene: Scene) -> None:
    await scene.api.jonas.post(f"/conversations/{scene.open}/shares", ShareConversation(user_id=scene.api.tom.user_id))
    await scene.api.tom.post(f"/conversations/{scene.open}/comments", AddComment(text="I know that bike."))
    await scene.api.tom.put(f"/conversations/{scene.open}/reminder", SetReminder(at=TOMORROW))
    await scene.api.ana.put(f"/conversations/{scene.open}/assignee", Assign(user_id=scene.api.ana.user_id))
    await scene.inbox.deliver(write_mail(subject="Re: Subject 0", answers=message_id_of(scene.mails[0])))
    old = write_mail(subject="Re: Subject 0", answers=message_id_of(scene.mails[0]))
    await scene.inbox.deliver(old, arrived=False)


@deed
async def shared_by_a_mention(scene: Scene) -> None:
    said = AddComment(text="@Tom, have a look.", mention_ids=[scene.api.tom.user_id], share=True)
    await scene.api.jonas.post(f"/conversations/{scene.open}/comments", said)


@deed
async def shared_and_taken_back(scene: Scene) -> None:
    await shared_by_a_mention(scene)
    await scene.api.ana.delete(f"/conversations/{scene.open}/shares", user_id=scene.api.tom.user_id)
    await scene.api.ana.put(f"/conversations/{scene.open}/status", SetStatus(status="done"))


@deed
async def shared_closed_and_opened_again(scene: Scene) -> None:
    await shared_with_a_person(scene)
    await made_private_and_confidential(scene)
    await scene.api.ana.put(f"/conversations/{scene.open}/visibility", SetVisibility(visibility="open"))


@deed
async def shared_with_a_team_that_changed(scene: Scene) -> None:
    team = await scene.api.ana.post("/teams", SaveTeam(name="Workshop", member_ids=[]), Team)
    await scene.api.ana.post(f"/conversations/{scene.open}/shares", ShareConversation(team_id=team.id))
    await scene.api.ana.put(f"/teams/{team.id}", SaveTeam(name="Workshop", member_ids=[scene.api.tom.user_id]))
    await scene.api.ana.put(f"/conversations/{scene.open}/status", SetStatus(status="done"))


@deed
async def shared_with_a_team_that_was_removed(scene: Scene) -> None:
    await shared_with_a_team_that_changed(scene)
    await scene.api.ana.delete(f"/teams/{await _newest_team(scene)}")


async def _newest_team(scene: Scene) -> int:
    return max(team["id"] for team in await scene.api.ana.get("/teams"))


@deed
async def shared_and_then_given_the_mailbox_and_losing_it(scene: Scene) -> None:
    await shared_with_a_person(scene)
    path, ids = f"/mailboxes/{scene.api.support}/members", [scene.api.ana.user_id, scene.api.jonas.user_id]
    await scene.api.ana.put(path, SetMailboxMembers(member_ids=[*ids, scene.api.tom.user_id], team_ids=[]))
    await scene.api.ana.put(f"/conversations/{scene.open}/status", SetStatus(status="done"))
    await scene.api.ana.put(path, SetMailboxMembers(member_ids=ids, team_ids=[]))
    await scene.api.ana.put(f"/conversations/{scene.open}/status", SetStatus(status="open"))


@deed
async def merged_by_a_person(scene: Scene) -> None:
    await shared_with_a_person(scene)
    other = MergeConversations(other_ids=[scene.private])
    await scene.api.jonas.post(f"/conversations/{scene.open}/merge", other)


@deed
async def merged_and_taken_back(scene: Scene) -> None:
    for number in scene.conversations:
        body = AddComment(text="@Jonas look.", mention_ids=[scene.api.jonas.user_id])
        await scene.api.jonas.post(f"/conversations/{number}/comments", body)
        await scene.api.jonas.put(f"/conversations/{number}/reminder", SetReminder(at=TOMORROW))
    await scene.api.ana.put(f"/conversations/{scene.private}/read", SetRead(read=True))
    await merged_by_a_person(scene)
    others = MergeConversations(other_ids=[scene.confidential])
    await scene.api.jonas.post(f"/conversations/{scene.open}/merge", others)
    await scene.inbox.deliver(write_mail(subject="Re: it", answers=message_id_of(scene.mails[2])))
    detail = await scene.api.jonas.get(f"/conversations/{scene.open}", ConversationDetail)
    for line in reversed([each.id for each in detail.activities if each.kind == "joined"]):
        await scene.api.jonas.post(f"/conversations/{scene.open}/unmerge", TakeMergeBack(activity_id=line))


@deed
async def split_and_merged_again(scene: Scene) -> None:
    for number, raw in zip(scene.conversations, scene.mails, strict=True):
        await scene.inbox.deliver(write_mail(subject="Re: it", answers=message_id_of(raw)))
        body = AddComment(text="@Jonas look.", mention_ids=[scene.api.jonas.user_id])
        await scene.api.jonas.post(f"/conversations/{number}/comments", body)
        detail = await scene.api.jonas.get(f"/conversations/{number}", ConversationDetail)
        given = SplitConversation(message_id=detail.messages[1].id, and_all_after=True, with_comments=True)
        new = await scene.api.jonas.post(f"/conversations/{number}/split", given, ConversationItem)
        if number == scene.confidential:
            others = MergeConversations(other_ids=[new.row.id])
            await scene.api.jonas.post(f"/conversations/{number}/merge", others)


@deed
async def moved_to_another_mailbox_and_back(scene: Scene) -> None:
    await commented_with_mentions(scene)
    sales = await _sales(scene)
    await scene.api.ana.put(f"/conversations/{scene.private}/read", SetRead(read=True))
    await scene.api.jonas.put(f"/conversations/{scene.private}/reminder", SetReminder(at=TOMORROW))
    for number in scene.conversations:
        await scene.api.ana.put(f"/conversations/{number}/mailbox", MoveConversation(mailbox_id=sales))
    await scene.inbox.deliver(write_mail(subject="Re: it", answers=message_id_of(scene.mails[0])))
    back = MoveConversation(mailbox_id=scene.api.support)
    await scene.api.ana.put(f"/conversations/{scene.open}/mailbox", back)
    await scene.api.ana.put(f"/conversations/{scene.open}/status", SetStatus(status="done"))


@deed
async def shared_and_moved(scene: Scene) -> None:
    sales = await _sales(scene)
    for person in (scene.api.jonas, scene.api.tom, scene.api.mallory):
        await scene.api.ana.post(f"/conversations/{scene.open}/shares", ShareConversation(user_id=person.user_id))
    await scene.api.ana.put(f"/conversations/{scene.open}/mailbox", MoveConversation(mailbox_id=sales))
    await scene.api.ana.put(f"/conversations/{scene.open}/status", SetStatus(status="done"))


async def _sales(scene: Scene) -> int:
    ids = [scene.api.ana.user_id, scene.api.tom.user_id]
    body = CreateMailbox(kind="group", name="Sales", address="sales@northwind.example", member_ids=ids)
    return (await scene.api.ana.post("/mailboxes", body, MailboxSettings)).id


@deed
async def a_late_mail_joined_what_is_shared(scene: Scene) -> None:
    await shared_with_a_person(scene)
    await scene.api.ana.put(f"/conversations/{scene.private}/visibility", SetVisibility(visibility="open"))
    both = f"{message_id_of(scene.mails[1])} {message_id_of(scene.mails[0])}"
    await scene.inbox.deliver(write_mail(subject="Re: all of it", answers=both))


@deed
async def commented_with_mentions(scene: Scene) -> None:
    for number in scene.conversations:
        body = AddComment(text="@Ana have a look.", mention_ids=[scene.api.ana.user_id])
        await scene.api.jonas.post(f"/conversations/{number}/comments", body)


@deed
async def a_team_mentioned(scene: Scene) -> None:
    body = AddComment(text="@Service have a look.", team_mention_ids=[scene.team.id])
    await scene.api.jonas.post(f"/conversations/{scene.confidential}/comments", body)


@deed
async def notifications_read(scene: Scene) -> None:
    await commented_with_mentions(scene)
    await scene.api.ana.post("/notifications/read", {})


@deed
async def read_and_unread(scene: Scene) -> None:
    for number in (scene.open, scene.private):
        await scene.api.ana.put(f"/conversations/{number}/read", SetRead(read=True))
    await scene.api.ana.put(f"/conversations/{scene.open}/read", SetRead(read=False))


@deed
async def everything_read(scene: Scene) -> None:
    await scene.api.jonas.put(f"/conversations/{scene.open}/read", SetRead(read=False))
    await scene.api.jonas.post(f"/mailboxes/{scene.api.support}/read-all")


@deed
async def mail_arrived(scene: Scene) -> None:
    await scene.inbox.deliver(write_mail(subject="New"), write_mail(subject="For Jonas", cc="jonas@northwind.example"))


@deed
async def an_answer_arrived_in_a_closed_conversation(scene: Scene) -> None:
    await done_and_opened_again(scene)
    for raw in scene.mails:
        await scene.inbox.deliver(write_mail(subject="Re: it", answers=message_id_of(raw)))


@deed
async def an_answer_named_a_member(scene: Scene) -> None:
    raw = write_mail(subject="Re: it", answers=message_id_of(scene.mails[2]), cc="ana@northwind.example")
    await scene.inbox.deliver(raw)


@deed
async def a_late_mail_joined_conversations(scene: Scene) -> None:
    both = f"{message_id_of(scene.mails[0])} {message_id_of(scene.mails[1])} {message_id_of(scene.mails[2])}"
    await scene.inbox.deliver(write_mail(subject="Re: all of it", answers=both))


@deed
async def history_came_in(scene: Scene) -> None:
    await scene.inbox.deliver(*(write_mail(subject=f"Old {number}") for number in range(4)), arrived=False)


@deed
async def mail_was_deleted_elsewhere(scene: Scene) -> None:
    raw = write_mail(subject="Re: it", answers=message_id_of(scene.mails[0]))
    [uid] = await scene.inbox.deliver(raw)
    await scene.inbox.expunge(uid, scene.uids[1])


@deed
async def mail_came_back(scene: Scene) -> None:
    raw = write_mail(subject="Re: it", answers=message_id_of(scene.mails[0]))
    [uid] = await scene.inbox.deliver(raw)
    await scene.inbox.expunge(uid)
    await scene.inbox.deliver(raw)


@deed
async def flags_changed_elsewhere(scene: Scene) -> None:
    [uid] = await scene.toms.deliver(write_mail(to="tom@northwind.example"))
    await scene.toms.flag(uid, "\\Seen")
    await scene.inbox.flag(scene.uids[0], "\\Seen", "\\Flagged")


@deed
async def an_account_changed_its_state(scene: Scene) -> None:
    state = AccountState(mailbox_id=scene.api.support, status="retrying", reason="No answer.", remedy="Wait.")
    await report_state(scene.inbox.folder.account_id, state)


@deed
async def a_draft_written_and_thrown_away(scene: Scene) -> None:
    draft = await scene.api.ana.post("/drafts", CreateDraft(kind="reply", conversation_id=scene.open), Draft)
    await save(scene, draft, "Hello Mateus,")
    other = await scene.api.jonas.post("/drafts", CreateDraft(kind="reply", conversation_id=scene.confidential), Draft)
    await scene.api.jonas.delete(f"/drafts/{other.id}")


@deed
async def a_draft_thrown_away_and_brought_back(scene: Scene) -> None:
    for who, begun in (
        (scene.api.ana, CreateDraft(kind="reply", conversation_id=scene.open)),
        (scene.api.jonas, CreateDraft(kind="new", mailbox_id=scene.api.support)),
    ):
        draft = await who.post("/drafts", begun, Draft)
        await who.delete(f"/drafts/{draft.id}")
        await who.post(f"/discarded-drafts/{draft.id}/restore", None, Draft)


@deed
async def a_draft_sent_as_somebody_chosen(scene: Scene) -> None:
    draft = await scene.api.ana.post("/drafts", CreateDraft(kind="reply", conversation_id=scene.open), Draft)
    await scene.api.jonas.put(f"/drafts/{draft.id}/sender", {"sender": {"from_name": "Recall team"}})
    new = await scene.api.ana.post("/drafts", CreateDraft(kind="new", mailbox_id=scene.api.support), Draft)
    await scene.api.ana.put(f"/drafts/{new.id}/sender", {"sender": {"reply_to": "own"}})


@deed
async def a_draft_taken_over(scene: Scene) -> None:
    draft = await scene.api.ana.post("/drafts", CreateDraft(kind="reply", conversation_id=scene.open), Draft)
    await save(scene, draft, "Hello Mateus,")
    await scene.api.jonas.post(f"/drafts/{draft.id}/take-over", None, Draft)


@deed
async def a_draft_written_together(scene: Scene) -> None:
    draft = await scene.api.ana.post("/drafts", CreateDraft(kind="reply", conversation_id=scene.open), Draft)
    await scene.api.jonas.post(f"/drafts/{draft.id}/together", None, Draft)
    sheet = Sheet(draft.id)
    sheet.body.children.append(XmlElement("paragraph", contents=[XmlText("Hello Mateus,")]))
    async with action(scene.api.jonas.user_id):
        held = await hold_document(draft.id, -1)
        await store_change(held, draft.id, sheet.doc.get_update(), Document(draft.id))
    followed = await follow_document(draft.id, scene.api.jonas.user_id)
    assert followed is not None and followed.text == "Hello Mateus,"


@deed
async def a_draft_with_pictures_and_the_message_it_answers(scene: Scene) -> None:
    ana = scene.api.ana
    draft = await ana.post("/drafts", CreateDraft(kind="reply", conversation_id=scene.open), Draft)
    form = {"file": ("hub.png", b"pixels", "image/png")}
    await ana.request("POST", f"/drafts/{draft.id}/attachments?in_text=true", files=form)
    await ana.post(f"/drafts/{draft.id}/quote", None, QuotedMessage)
    await ana.put(f"/drafts/{draft.id}/signature", {"signature": "person"}, Draft)
    save = {name: getattr(draft, name) for name in ("version", "to", "cc", "bcc", "subject")}
    body = SaveDraft(**save, text="", html="<p>See <b>this</b></p>", quoted=True)
    await ana.put(f"/drafts/{draft.id}", body, Draft)


async def save(scene: Scene, draft: Draft, text: str) -> Draft:
    to = draft.to or [MailAddress(name="", address="carla@customer.example")]
    body = SaveDraft(version=draft.version, to=to, cc=[], bcc=[], subject=draft.subject or "About it", text=text)
    return await scene.api.ana.put(f"/drafts/{draft.id}", body, Draft)


@deed
async def a_reply_sent_and_taken_back(scene: Scene) -> None:
    draft = await scene.api.ana.post("/drafts", CreateDraft(kind="reply", conversation_id=scene.open), Draft)
    draft = await save(scene, draft, "A new wheel is on its way.")
    body = SendDraft(version=draft.version, undo_seconds=30)
    outgoing = await scene.api.ana.post(f"/drafts/{draft.id}/send", body, Outgoing)
    await scene.api.ana.post(f"/outbox/{outgoing.id}/undo")


@deed
async def a_new_mail_sent_and_cancelled(scene: Scene) -> None:
    draft = await scene.api.ana.post("/drafts", CreateDraft(kind="new", mailbox_id=scene.api.support), Draft)
    draft = await save(scene, draft, "We have news.")
    await scene.api.ana.post(f"/drafts/{draft.id}/send", SendDraft(version=draft.version, undo_seconds=30), Outgoing)


async def send_a_link(scene: Scene) -> Outgoing:
    form = {"file": ("prices.pdf", b"pdf", "application/pdf")}
    document = (await scene.api.ana.request("POST", "/documents", files=form)).json()
    draft = await scene.api.ana.post("/drafts", CreateDraft(kind="reply", conversation_id=scene.open), Draft)
    made = await scene.api.ana.post(f"/drafts/{draft.id}/documents/{document['id']}/link", {})
    draft = await save(scene, draft, made["text"])
    given = SendDraft(version=draft.version, undo_seconds=30)
    outgoing = await scene.api.ana.post(f"/drafts/{draft.id}/send", given, Outgoing)
    path = made["url"].partition("/api/v1")[2]
    await scene.api.stranger().client.get(path, headers={"user-agent": "Mozilla/5.0 Firefox/140.0"})
    return outgoing


@deed
async def a_document_sent_as_a_link_opened_and_closed(scene: Scene) -> None:
    await send_a_link(scene)
    detail = await scene.api.ana.get(f"/conversations/{scene.open}", ConversationDetail)
    assert [each.views for each in detail.shared_files] == [1]
    await scene.api.ana.request("DELETE", f"/conversations/{scene.open}/shared-files/{detail.shared_files[0].id}")


@deed
async def a_document_sent_as_a_link_and_taken_back(scene: Scene) -> None:
    await scene.api.ana.post(f"/outbox/{(await send_a_link(scene)).id}/undo")


async def send_an_invitation(scene: Scene) -> Outgoing:
    draft = await scene.api.ana.post("/drafts", CreateDraft(kind="reply", conversation_id=scene.open), Draft)
    draft = await save(scene, draft, "Shall we talk?")
    given = {"title": "A talk", "day": "2099-12-03", "start": "10:00:00", "minutes": 30, "zone": "Europe/Lisbon"}
    await scene.api.ana.put(f"/drafts/{draft.id}/meeting", given, Draft)
    sending = SendDraft(version=draft.version, undo_seconds=30)
    return await scene.api.ana.post(f"/drafts/{draft.id}/send", sending, Outgoing)


@deed
async def a_meeting_put_into_a_draft_and_taken_off(scene: Scene) -> None:
    draft = await scene.api.ana.post("/drafts", CreateDraft(kind="reply", conversation_id=scene.open), Draft)
    given = {"title": "A talk", "day": "2099-12-03", "start": "10:00:00", "minutes": 30, "zone": "Europe/Lisbon"}
    await scene.api.ana.put(f"/drafts/{draft.id}/meeting", given, Draft)
    await scene.api.ana.put(f"/drafts/{draft.id}/meeting", given | {"place": "Here"}, Draft)
    await scene.api.ana.request("DELETE", f"/drafts/{draft.id}/meeting")


@deed
async def a_meeting_invited_to_and_taken_back(scene: Scene) -> None:
    await scene.api.ana.post(f"/outbox/{(await send_an_invitation(scene)).id}/undo")


@deed
async def a_meeting_answered_then_called_off(scene: Scene) -> None:
    outgoing = await send_an_invitation(scene)
    await record_acceptance(outgoing.id, [outgoing.recipients[0].address], {}, {})
    answer = reply(outgoing.message_id, outgoing.to[0], "DECLINED")
    await scene.inbox.deliver(answer)
    await take_meeting_answer(await fetch_value("SELECT max(id) FROM messages"))
    detail = await scene.api.ana.get(f"/conversations/{scene.open}", ConversationDetail)
    assert [each.answer for each in detail.meetings[0].attendees] == ["declined"]
    path = f"/conversations/{scene.open}/meetings/{detail.meetings[0].id}/drafts"
    await scene.api.ana.post(path, {"method": "request"}, Draft)  # and is still writing
    draft = await scene.api.jonas.post(path, {"method": "cancel"}, Draft)
    sending = SendDraft(version=draft.version, undo_seconds=30, even_if_answered=True)
    await scene.api.jonas.post(f"/drafts/{draft.id}/send", sending, Outgoing)


async def send_to_each(scene: Scene) -> Outgoing:
    draft = await scene.api.ana.post("/drafts", CreateDraft(kind="new", mailbox_id=scene.api.support), Draft)
    to = [MailAddress(name="", address=f"{name}@customer.example") for name in ("carla", "dan")]
    body = SaveDraft(version=draft.version, to=to, cc=[], bcc=[], subject="News", text="We have news.")
    draft = await scene.api.ana.put(f"/drafts/{draft.id}", body, Draft)
    given = SendDraft(version=draft.version, undo_seconds=0, one_each=True)
    return await scene.api.ana.post(f"/drafts/{draft.id}/send", given, Outgoing)


async def send_a_file_to_each(scene: Scene) -> Outgoing:
    draft = await scene.api.ana.post("/drafts", CreateDraft(kind="reply", conversation_id=scene.open), Draft)
    path = f"/drafts/{draft.id}/uploads"
    begun = await scene.api.ana.post(path, {"filename": "film.mp4", "size": 4, "link_days": 7})
    headers = {"upload-offset": "0"}
    await scene.api.ana.request("PATCH", f"{path}/{begun['id']}", content=b"film", headers=headers)
    made = await scene.api.ana.post(f"{path}/{begun['id']}/link")
    to = [MailAddress(name="", address=f"{name}@customer.example") for name in ("carla", "dan")]
    body = SaveDraft(version=draft.version, to=to, cc=[], bcc=[], subject="Film", text=made["text"])
    draft = await scene.api.ana.put(f"/drafts/{draft.id}", body, Draft)
    given = SendDraft(version=draft.version, undo_seconds=30, one_each=True)
    return await scene.api.ana.post(f"/drafts/{draft.id}/send", given, Outgoing)


@deed
async def a_file_sent_as_a_link_of_each_ones_own(scene: Scene) -> None:
    await send_a_file_to_each(scene)


@deed
async def a_file_sent_as_a_link_of_each_ones_own_and_taken_back(scene: Scene) -> None:
    await scene.api.ana.post(f"/outbox/{(await send_a_file_to_each(scene)).id}/undo")


@deed
async def an_upload_attached(scene: Scene) -> None:
    draft = await scene.api.ana.post("/drafts", CreateDraft(kind="reply", conversation_id=scene.open), Draft)
    begun = await scene.api.ana.post(f"/drafts/{draft.id}/uploads", {"filename": "empty.txt", "size": 0})
    await scene.api.ana.post(f"/drafts/{draft.id}/uploads/{begun['id']}/attach")


@deed
async def a_mail_sent_to_each(scene: Scene) -> None:
    await send_to_each(scene)


@deed
async def a_mail_to_each_taken_back(scene: Scene) -> None:
    first = await send_to_each(scene)
    await scene.api.ana.post(f"/outbox/{first.id}/undo")


@deed
async def mails_that_left_together(scene: Scene) -> None:
    firsts = [await send_to_each(scene) for _ in range(2)]
    taken = await many.claim([each.id for each in firsts], timedelta(minutes=1))
    held = [claim for claim in taken.values() if claim is not None]
    assert len(held) == len(await many.begin_sending(held)) == len(await many.record_acceptance(held)) == 2


@deed
async def a_reply_scheduled_and_put_off(scene: Scene) -> None:
    draft = await scene.api.ana.post("/drafts", CreateDraft(kind="reply", conversation_id=scene.open), Draft)
    draft = await save(scene, draft, "The shop opens at nine.")
    body = SendDraft(version=draft.version, send_at=TOMORROW)
    outgoing = await scene.api.ana.post(f"/drafts/{draft.id}/send", body, Outgoing)
    later = RescheduleOutgoing(send_at=TOMORROW + timedelta(hours=2))
    await scene.api.jonas.put(f"/outbox/{outgoing.id}/schedule", later, Outgoing)


@deed
async def members_came_and_went(scene: Scene) -> None:
    path = f"/mailboxes/{scene.api.support}/members"
    ana, tom = scene.api.ana.user_id, scene.api.tom.user_id
    await scene.api.ana.put(path, SetMailboxMembers(member_ids=[ana, tom], team_ids=[]))


@deed
async def a_team_was_let_in_and_changed(scene: Scene) -> None:
    path = f"/mailboxes/{scene.api.support}/members"
    both = [scene.api.ana.user_id, scene.api.jonas.user_id]
    await scene.api.ana.put(path, SetMailboxMembers(member_ids=both, team_ids=[scene.team.id]))
    await scene.api.ana.put(f"/teams/{scene.team.id}", SaveTeam(name="Service", member_ids=[scene.api.tom.user_id]))


@deed
async def a_team_was_removed(scene: Scene) -> None:
    await assigned_to_a_team(scene)
    await a_team_was_let_in_and_changed(scene)
    await scene.api.ana.delete(f"/teams/{scene.team.id}")


@deed
async def the_settings_of_a_mailbox_changed(scene: Scene) -> None:
    await scene.api.ana.patch(
        f"/mailboxes/{scene.api.support}", UpdateMailbox(name="Help", private_by_default=True, send_as="person")
    )


@deed
async def a_mailbox_was_made_and_removed(scene: Scene) -> None:
    ids = [scene.api.ana.user_id, scene.api.tom.user_id]
    body = CreateMailbox(kind="group", name="Sales", address="sales@northwind.example", member_ids=ids)
    await scene.api.ana.post("/mailboxes", body, MailboxSettings)
    await scene.api.ana.delete(f"/mailboxes/{scene.api.support}", name="Support")


@deed
async def somebody_changed_their_name(scene: Scene) -> None:
    await scene.api.jonas.patch("/me", UpdateProfile(name="Jonas Dahl", theme="dark"))


@deed
async def somebody_went_away_and_came_back(scene: Scene) -> None:
    await scene.api.jonas.patch("/me", UpdateProfile(away_until=TOMORROW))
    await scene.api.ana.patch("/me", UpdateProfile(away_until=TOMORROW))
    await scene.api.ana.patch("/me", UpdateProfile(away_until=None))


@deed
async def mail_was_given_out_in_turn(scene: Scene) -> None:
    turn = UpdateMailbox(in_turn=InTurn(how="least_busy"), private_by_default=True)
    await scene.api.ana.patch(f"/mailboxes/{scene.api.support}", turn)
    await mail_arrived(scene)


@deed
async def a_role_changed(scene: Scene) -> None:
    await scene.api.ana.patch(f"/people/{scene.api.tom.user_id}", UpdatePerson(role="admin"))


@deed
async def the_organisation_was_renamed(scene: Scene) -> None:
    await scene.api.ana.patch("/organisation", UpdateOrganisation(name="Northwind"))


@deed
async def mail_of_the_intake_account_was_sorted(scene: Scene) -> None:
    body = CreateMailbox(kind="intake", name="Intake", address="intake@northwind.example")
    intake = await Arriving.into((await scene.api.ana.post("/mailboxes", body, MailboxSettings)).id)
    answer = write_mail(subject="Re: it", answers=message_id_of(scene.mails[0]), to="nobody@northwind.example")
    by_name = write_mail(subject="By its name", to="support@northwind.example", cc="tom@northwind.example")
    await intake.deliver(by_name, write_mail(subject="Lost", to="nobody@northwind.example"), answer)
    for waiting in await scene.api.ana.get("/intake/unsorted", list[Unsorted]):
        chosen = SortUnsorted(mailbox_id=scene.api.support)
        await scene.api.ana.post(f"/intake/unsorted/{waiting.id}/sort", chosen, Sorted)


@pytest.mark.parametrize("name", DEEDS)
async def test_what_each_person_is_told_adds_up_to_what_they_see(served: Api, name: str) -> None:
    scene = await set_the_scene(served)
    clients = {
        person.email: LiveClient(f"http://127.0.0.1:{served.port}", {"cookie": person.cookie_header})
        for person in served.everybody
    }
    for client in clients.values():
        await client.start()
    try:
        await DEEDS[name](scene)
        for email, client in clients.items():
            await client.caught_up()
            assert client.model is not None
            wrong = differences(client.model.shown(), (await client.fresh()).shown())
            assert not wrong, f"{email} was told otherwise: {wrong}"
        heard = sum(len(client.seen) for client in clients.values())
        assert heard > 0, "nobody was told anything"
    finally:
        for client in clients.values():
            await client.stop()


async def test_mallory_hears_nothing_of_support_whatever_happens(served: Api) -> None:
    scene = await set_the_scene(served)
    mallory = LiveClient(f"http://127.0.0.1:{served.port}", {"cookie": served.mallory.cookie_header})
    await mallory.start()
    for name in ("commented_with_mentions", "mail_arrived", "made_private_and_confidential"):
        await DEEDS[name](scene)
    await mallory.caught_up()
    assert mallory.seen == []
    await mallory.stop()


async def test_a_stream_that_is_not_ones_own_is_refused(served: Api) -> None:
    foreign = [f"mailbox:{served.support}", f"user:{served.ana.user_id}", "mailbox:999", "nothing:1"]
    address = f"ws://127.0.0.1:{served.port}/api/v1/live?since={','.join(f'{each}=0' for each in foreign)}"
    async with websockets.connect(address, additional_headers={"cookie": served.mallory.cookie_header}) as socket:
        frames = [frame_decoder.decode(await socket.recv()) for _ in foreign]
    assert frames == [RefusedFrame(stream=each) for each in foreign]
