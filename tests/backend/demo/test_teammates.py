"""What Tom and Mei are told to do can be done: places, people and conversations exist."""

from datetime import UTC, datetime

from backend.conversations.contracts import ConversationRow
from backend.demo.corpus import Conversation, corpus
from backend.demo.people import MAILBOXES, PEOPLE, SIMULATED, members_of
from backend.demo.teammates import Office, comment_body, is_row_of, read_texts
from backend.mail.contracts import MailAddress

OFFICE = Office(
    people={key: number for number, key in enumerate(PEOPLE, start=11)},
    mailboxes={key: number for number, key in enumerate(MAILBOXES, start=21)},
)


def live() -> dict[str, Conversation]:
    return {each.id: each for each in corpus() if each.live}


def test_every_plan_is_for_a_live_conversation_of_a_mailbox_of_theirs() -> None:
    conversations = live()
    for key, plan in read_texts().live.items():
        members = members_of(MAILBOXES[conversations[key].mailbox])
        assert plan.by in SIMULATED and plan.by in members, key
        assert plan.assign is None or plan.assign in members, key
        assert plan.comment or plan.replies, key
        if plan.comment:
            named = comment_body(plan.comment, conversations[key].mailbox, OFFICE).mention_ids
            assert len(named) == plan.comment.count("@"), f"{key} names somebody who cannot read it"


def test_much_is_left_to_those_who_try_the_demo() -> None:
    untouched = [each for each in live().values() if each.id not in read_texts().live]
    assert len(untouched) >= 20
    assert {each.mailbox for each in untouched} >= {"billing", "ana", "support"}


def test_both_mention_ana_and_jonas() -> None:
    for key in SIMULATED:
        texts = [*read_texts().remarks[key], *(p.comment or "" for p in read_texts().live.values() if p.by == key)]
        assert any("@Ana" in text for text in texts) and any("@Jonas" in text for text in texts)


def test_a_comment_names_only_who_may_read_it() -> None:
    body = comment_body("@Ana and @Samuel, but not @everybody\n", "support", OFFICE)
    assert body.text == "@Ana and @Samuel, but not @everybody"
    assert body.mention_ids == [OFFICE.people["ana"]]


def row(subject: str, *addresses: str) -> ConversationRow:
    return ConversationRow(
        id=1, mailbox_id=21, subject=subject, correspondents=[MailAddress(name="", address=a) for a in addresses],
        message_count=1, snippet="", last_at=datetime.now(UTC), last_arrival=0, last_direction="incoming",
        status="open", visibility="open", assignee_id=None, assigned_team_id=None, has_attachments=False,
        comment_count=0, draft_author_ids=[], outbox="", version=1,
    )  # fmt: skip


def test_a_conversation_is_found_again_by_subject_and_correspondent() -> None:
    conversation = live()["support-live-23"]
    assert is_row_of(row(f"Re: {conversation.subject}", conversation.customer.address.upper()), conversation)
    assert not is_row_of(row(conversation.subject, "somebody@else.example"), conversation)
    assert not is_row_of(row("Something else", conversation.customer.address), conversation)
