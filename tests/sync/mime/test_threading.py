"""Threading is a function of the set of messages: neither their order nor adding them one by one matters."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from sync.mime.subjects import base_subject
from sync.mime.threading import SUBJECT_WINDOW, ThreadHeaders, group, thread_keys

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
CUSTOMER, SUPPORT = "lena@customer.example", "support@northwind.example"


def mail(
    message_id: str | None,
    *parents: str,
    subject: str = "Broken gear hub",
    days: float = 0.0,
    people: tuple[str, ...] = (CUSTOMER, SUPPORT),
) -> ThreadHeaders:
    return ThreadHeaders(
        message_id=message_id,
        parents=parents,
        subject=subject,
        date=START + timedelta(days=days),
        correspondents=frozenset(people),
    )


class Store:
    """What a database does with the keys, as the top of the module tells it to."""

    def __init__(self) -> None:
        self.conversation_of: dict[int, int] = {}
        self.keys: dict[str, set[int]] = defaultdict(set)
        self.dated: dict[str, list[tuple[datetime, int]]] = defaultdict(list)

    def insert(self, number: int, headers: ThreadHeaders) -> None:
        links = thread_keys(headers)
        found = {holder for key in links.finds for holder in self.keys[key]}
        if links.date is not None:
            for key in links.dated_finds:
                found |= {who for at, who in self.dated[key] if abs(at - links.date) <= SUBJECT_WINDOW}
            for key in links.dated_leaves:
                self.dated[key].append((links.date, number))
        for key in links.leaves:
            self.keys[key].add(number)
        self.conversation_of[number] = number
        joined = {self.conversation_of[holder] for holder in found} | {number}
        for member, conversation in self.conversation_of.items():
            if conversation in joined:
                self.conversation_of[member] = min(joined)

    def conversations(self) -> set[frozenset[int]]:
        groups: dict[int, set[int]] = defaultdict(set)
        for number, conversation in self.conversation_of.items():
            groups[conversation].add(number)
        return {frozenset(members) for members in groups.values()}


IDS = [f"{letter}@mail.example" for letter in "abcdefgh"]
headers = st.builds(
    mail,
    st.sampled_from([*IDS, None, "", "<>", "x" * 700]),
    subject=st.sampled_from(["Broken gear hub", "Re: Broken gear hub", "Invoice 17", "AW: Invoice 17", "", "Re: hi"]),
    days=st.integers(0, 30).map(float),
    people=st.sampled_from([(CUSTOMER, SUPPORT), (SUPPORT, "otto@other.example"), (CUSTOMER,), ()]),
)
mails = st.lists(
    st.builds(
        lambda one, parents: ThreadHeaders(
            message_id=one.message_id,
            parents=tuple(parents),
            subject=one.subject,
            date=one.date,
            correspondents=one.correspondents,
        ),
        headers,
        st.lists(st.sampled_from([*IDS, "", "no-reply"]), max_size=4),
    ),
    max_size=14,
)


@settings(max_examples=300, deadline=None)
@given(mails, st.randoms(use_true_random=False))
def test_any_order_gives_the_same_conversations(messages: list[ThreadHeaders], random: "object") -> None:
    expected = {frozenset(members) for members in group(messages)}
    order = list(range(len(messages)))
    random.shuffle(order)  # pyright: ignore[reportAttributeAccessIssue]
    shuffled = group([messages[position] for position in order])
    assert {frozenset(order[place] for place in members) for members in shuffled} == expected


@settings(max_examples=300, deadline=None)
@given(mails, st.randoms(use_true_random=False))
def test_adding_one_by_one_in_any_order_gives_the_same(messages: list[ThreadHeaders], random: "object") -> None:
    order = list(range(len(messages)))
    random.shuffle(order)  # pyright: ignore[reportAttributeAccessIssue]
    store = Store()
    for number in order:
        store.insert(number, messages[number])
    assert store.conversations() == {frozenset(members) for members in group(messages)}


def together(*messages: ThreadHeaders) -> bool:
    return len(group(messages)) == 1


def test_a_reply_belongs_to_its_parent_whatever_its_subject() -> None:
    assert together(mail("a@x.example"), mail("b@x.example", "a@x.example", subject="Something else entirely"))


def test_a_late_parent_joins_its_children() -> None:
    first = mail("b@x.example", "a@x.example", subject="One thing")
    second = mail("c@x.example", "a@x.example", subject="Another thing")
    assert not together(first, second)
    assert together(first, second, mail("a@x.example"))


def test_siblings_of_a_missing_parent_belong_together() -> None:
    assert together(
        mail("b@x.example", "gone@x.example"), mail("c@x.example", "gone@x.example", subject="Re: Broken gear hub")
    )


def test_newsletters_that_all_name_one_identifier_stay_apart() -> None:
    issues = [
        mail(f"issue{number}@news.example", "campaign@news.example", subject=f"Offers of week {number}", days=number)
        for number in range(200)
    ]
    assert len(group(issues)) == 200


def test_one_identifier_for_every_mail_of_a_broken_program_glues_nothing() -> None:
    first, second = mail("fixed@app.example", subject="Order 1"), mail("fixed@app.example", subject="Order 2")
    assert not together(first, second)
    assert together(first, first)


def test_empty_forged_and_own_identifiers_are_no_relation() -> None:
    assert not together(mail("", "", "<>", "@", subject="One"), mail(None, "", "<>", "@", subject="Two"))
    alone = thread_keys(mail("a@x.example", "a@x.example"))
    assert not any(key.startswith(("ref:a@", "sib:")) for key in alone.leaves)


def test_giant_references_are_bounded_but_keep_both_ends() -> None:
    giant = mail("z@x.example", *(f"n{number}@x.example" for number in range(5000)))
    assert len(thread_keys(giant).finds) < 200
    assert together(giant, mail("n0@x.example", subject="First"))
    assert together(giant, mail("n4999@x.example", subject="Last"))


def test_keys_are_short_even_for_the_longest_identifiers() -> None:
    links = thread_keys(mail("y" * 900, "z" * 900, subject="s" * 5000))
    assert max(map(len, [*links.leaves, *links.finds, *links.dated_leaves])) < 260


def test_a_reply_that_names_no_parent_is_found_by_its_subject() -> None:
    question = mail("a@x.example")
    assert together(question, mail("b@y.example", subject="Re: Broken gear hub", days=2))
    assert together(question, mail("b@y.example", subject="AW: WG: Broken  GEAR hub", days=-2))


def test_the_subject_alone_is_never_enough() -> None:
    question = mail("a@x.example")
    assert not together(question, mail("b@y.example", days=2)), "no reply prefix"
    assert not together(question, mail("b@y.example", subject="Re: Broken gear hub", days=7.1)), "too late"
    other_people = mail("b@y.example", subject="Re: Broken gear hub", people=("otto@other.example", SUPPORT))
    assert not together(question, other_people), "other people"
    assert not together(mail("a@x.example", subject="hi"), mail("b@y.example", subject="Re: hi")), "too short"
    parent_known = mail("b@y.example", "elsewhere@y.example", subject="Re: Broken gear hub")
    assert not together(question, parent_known), "names another parent"


def test_prefixes_of_many_languages_and_tags() -> None:
    assert base_subject("Re: AW: Fwd: Odp: Frames") == ("frames", True)
    assert base_subject("Re[2]: RE : Antw: Frames") == ("frames", True)
    assert base_subject("[list] Re: Frames") == ("[list] frames", True)
    assert base_subject("Re: [list] Frames") == ("[list] frames", True)
    assert base_subject("[Ticket 4711] Frames") == ("[ticket 4711] frames", False)
    assert base_subject("回复\uff1aFrames") == ("frames", True)
    assert base_subject("Reach: more") == ("reach: more", False)
    assert base_subject("") == ("", False)
