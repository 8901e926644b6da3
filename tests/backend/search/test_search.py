"""Search by words: what is found, in which order, by whom; and that no text typed there breaks anything."""

import random

import pytest

from backend.conversations.contracts import SetStatus, SetVisibility
from backend.database.connection import execute, fetch_value
from backend.mail.word_index import enter_words
from backend.search.contracts import FoundPage
from tests.servers.api import Api, Member
from tests.servers.delivery import deliver, write_mail


async def found(person: Member, q: str, **query: object) -> list[int]:
    page = await person.get("/search", FoundPage, q=q, **query)
    return [item.row.id for item in page.items]


async def test_all_words_must_stand_in_the_conversation_and_the_last_may_be_unfinished(api: Api) -> None:
    spoke = await deliver(api.support, write_mail(subject="Broken spoke", text="The rear wheel wobbles."))
    brake = await deliver(api.support, write_mail(subject="Brake noise", text="The front wheel squeals."))
    assert await found(api.ana, "wheel") == [brake, spoke]
    assert await found(api.ana, "wheel broken") == [spoke]
    assert await found(api.ana, "WHEEL wob") == [spoke]
    assert await found(api.ana, "wob wheel") == []
    assert await found(api.ana, "wheel saddle") == []
    assert await found(api.ana, '"rear wheel"') == [spoke]
    assert await found(api.ana, '"wheel rear"') == []
    assert await found(api.ana, '"rear wheel') == [spoke], "a quotation that is not closed yet"
    assert await found(api.ana, "") == []


async def test_accents_and_their_absence_are_the_same(api: Api) -> None:
    one = await deliver(api.support, write_mail(subject="Réparation du dérailleur", text="Ça grince à l’arrière."))
    for words in ("derailleur", "Dérailleur", "reparation", "ca grince", "l’arriere", "l'arrière"):
        assert await found(api.ana, words) == [one], words


async def test_senders_are_found_by_name_address_and_parts_of_it(api: Api) -> None:
    one = await deliver(api.support, write_mail(sender="Mateus Oliveira <mateus.o@vento.example>"))
    for words in ("oliveira", "mateus.o@vento.example", "vento", "mateus.o@ven", "from:mateus", "from:vento"):
        assert await found(api.ana, words) == [one], words
    assert await found(api.ana, "from:yesterday") == []
    assert await found(api.ana, "from:mateus yesterday") == [one]
    assert await found(api.ana, "subject:squeaks") == [one]
    assert await found(api.ana, "subject:mateus") == []
    assert await found(api.ana, "to:support@") == [one]
    assert await found(api.ana, "to:sales@") == []


async def test_states_narrow_the_result(api: Api) -> None:
    done = await deliver(api.support)
    mine = await deliver(api.support)
    await api.ana.put(f"/conversations/{done}/status", SetStatus(status="done"))
    await api.ana.put(f"/conversations/{mine}/assignee", {"user_id": api.ana.user_id})
    await api.ana.put(f"/conversations/{mine}/read", {"read": True})
    assert await found(api.ana, "squeaks is:open") == [mine]
    assert await found(api.ana, "is:done") == [done]
    assert await found(api.ana, "assignee:me") == await found(api.ana, "is:mine") == [mine]
    assert await found(api.jonas, "assignee:me") == []
    assert await found(api.ana, "is:unassigned squeaks") == [done]
    assert mine not in await found(api.ana, "is:unread")
    assert mine in await found(api.jonas, "is:unread")
    assert await found(api.ana, "has:attachment") == []
    assert await found(api.ana, "is:nonsense") == [], "what cannot be read is not looked for"


async def test_comments_are_searched(api: Api) -> None:
    one = await deliver(api.support)
    await api.ana.post(f"/conversations/{one}/comments", {"text": "Asked the wholesaler in Århus."})
    assert await found(api.jonas, "wholesaler arhus") == [one]
    assert await found(api.mallory, "wholesaler") == []


async def test_nobody_finds_what_they_may_not_see(api: Api) -> None:
    shared = await deliver(api.support, write_mail(subject="Secret handlebar"))
    toms = await deliver(api.toms_mailbox, write_mail(subject="Secret saddle", to="tom@northwind.example"))
    assert await found(api.mallory, "secret") == []
    assert await found(api.tom, "secret") == [toms]
    assert await found(api.ana, "secret") == await found(api.jonas, "secret") == [shared]
    await api.ana.post(f"/conversations/{shared}/comments", {"text": "Confidential remark."})
    await api.ana.put(f"/conversations/{shared}/assignee", {"user_id": api.ana.user_id})
    await api.ana.put(f"/conversations/{shared}/visibility", SetVisibility(visibility="confidential"))
    for words in ("secret", "remark", "is:mine", "is:private", "to:support", "from:carla"):
        assert await found(api.jonas, words) == [], words
    assert await found(api.ana, "secret") == [shared]


async def test_a_mailbox_that_one_cannot_open_is_no_place_to_search_in(api: Api) -> None:
    toms = await deliver(api.toms_mailbox, write_mail(to="tom@northwind.example"))
    await deliver(api.support)
    assert await found(api.tom, "squeaks", mailbox_id=api.toms_mailbox) == [toms]
    for person in (api.ana, api.mallory):
        refusal = await person.refused("GET", "/search", params={"q": "squeaks", "mailbox_id": api.toms_mailbox})
        assert refusal.status == 404


async def test_the_newest_come_first_page_by_page(api: Api) -> None:
    made = [await deliver(api.support, arrived=False) for _ in range(55)]
    first = await api.ana.get("/search", FoundPage, q="squeaks")
    second = await api.ana.get("/search", FoundPage, q="squeaks", cursor=first.next_cursor)
    assert (len(first.items), len(second.items), second.next_cursor) == (50, 5, None)
    rows = [item.row for item in first.items + second.items]
    assert sorted(row.id for row in rows) == sorted(made)
    assert [(row.last_at, row.id) for row in rows] == sorted(((row.last_at, row.id) for row in rows), reverse=True)


async def test_a_common_word_is_found_by_walking_and_answers_the_same(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        one = await deliver(api.support, write_mail(subject=f"Order {number}", text="Same words, oft repeated."))
        if number % 3 == 0:
            await api.ana.post(f"/conversations/{one}/comments", {"text": "A wholesaler knows."})
    await deliver(api.toms_mailbox, write_mail(to="tom@northwind.example", text="Same words."))
    queries = ("words", "same repeated", "wholesaler", '"order 1"', "words is:open from:carla", "nowhere")
    by_index = [await found(api.ana, q) for q in queries]
    monkeypatch.setattr("backend.search.queries.MOST_HITS", 1)
    monkeypatch.setattr("backend.search.queries.SAMPLED", 10)
    assert [await found(api.ana, q) for q in queries] == by_index
    assert len(by_index[0]) == 20


async def test_the_same_is_found_before_and_after_the_words_are_taken_down(api: Api) -> None:
    await deliver(api.support, write_mail(subject="Réparation du dérailleur", text="Ça grince à l’arrière, ½ turn."))
    await deliver(api.support, write_mail(sender="Mateus Oliveira <mateus.o@vento.example>", text="Order NB-1234/a."))
    await deliver(
        api.support, write_mail(subject="Broken spoke", text="The rear wheel wobbles. 1e400 http://a.example/b")
    )
    queries = (
        *(
            "derailleur",
            "ca grince",
            "l'arriere",
            "1/2 turn",
            "vento",
            "mateus.o@ven",
            "from:mateus",
            "from:order",
            "NB-12",
        ),
        *(
            "nb-1234/a",
            '"rear wheel"',
            '"wheel rear"',
            "WHEEL wob",
            "subject:spoke",
            "1e4",
            "http://a.exam",
            "a.example",
        ),
        *("wheel -derailleur", "wheel derailleur", "squeaks", "é", "nowhere"),
    )
    waiting = await fetch_value("SELECT count(*) FROM words_waiting")
    before = [await found(api.ana, q) for q in queries]
    await enter_words()
    assert (waiting, await fetch_value("SELECT count(*) FROM words_waiting")) == (3, 0)
    assert [await found(api.ana, q) for q in queries] == before
    assert all(before[:6])


async def test_a_message_that_was_deleted_meanwhile_leaves_no_words(api: Api) -> None:
    await deliver(api.support)
    await execute("DELETE FROM messages")
    await enter_words()
    assert await fetch_value("SELECT (SELECT count(*) FROM words_waiting) + (SELECT count(*) FROM message_words)") == 0


HOSTILE = [
    "'", "''", "\\", "\\'", "a & | b", "!!", "<->", ":*", "foo:*A", "'foo':*", "((", "a\x00b", "\x00", "%", "_",
    "\ud800", "’’", "‘a’ ″b″ «c»", "a:b:c", "to:", "from:'", 'from:""', "subject:\\", '"', '""', '"" ""', ":", "::",
    "is:", "-", "--", "a' OR 1=1 --", "🚲", "ﷺ", "\u202e", "x" * 999, "é" * 1_000, "a-" * 400, "1e400 -2147483649",
    "http://a.example/b?c=d&e=f", "<b>bold</b>", "a@b.example", "/etc/passwd", "\r\n\t", "½ ² ﬁ", "İstanbul",
]  # fmt: skip


async def test_no_text_breaks_the_search(api: Api) -> None:
    await deliver(api.support)
    chance = random.Random(11)
    alphabet = "ab '\"\\:*&|!<>()-\x00é’ﬁ🚲\n\u202e%_@./"
    made = ["".join(chance.choices(alphabet, k=chance.randint(1, 60))) for _ in range(150)]
    for q in HOSTILE + made:
        text = q.encode("utf-8", "surrogatepass")
        reply = await api.ana.request("GET", "/search?q=" + "".join(f"%{byte:02x}" for byte in text))
        assert reply.status_code == 200, repr(q)


@pytest.mark.parametrize("q", ["x" * 1_001, "x " * 5_000, "a " * 33, "from:a " * 33])
async def test_what_nobody_types_is_refused(api: Api, q: str) -> None:
    assert (await api.ana.refused("GET", "/search", params={"q": q})).status == 422


async def test_a_text_that_is_no_cursor_is_refused(api: Api) -> None:
    for cursor in ("x", "bm8=", "MjAyNi0wMS0wMXwxZTk=", "MDAwMS0wMS0wMVQwMDowMDowMCsxMjowMHwx", "é", "\x00"):
        assert (await api.ana.refused("GET", "/search", params={"q": "x", "cursor": cursor})).status == 400
