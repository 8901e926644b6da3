"""What the operators of a search find, and that they find nothing for who may not see it."""

from datetime import UTC, datetime, timedelta

import pytest

from backend.conversations.contracts import SetStatus, SetVisibility
from backend.mail.word_index import enter_words
from backend.search.contracts import FoundPage
from backend.tags.contracts import ChangeTags, SaveTag, Tag
from tests.servers.api import Api, Member
from tests.servers.delivery import deliver, write_mail


async def page(person: Member, q: str) -> FoundPage:
    return await person.get("/search", FoundPage, q=q)


async def found(person: Member, q: str) -> list[int]:
    return [item.row.id for item in (await page(person, q)).items]


async def test_words_may_stand_in_different_messages_and_comments(api: Api) -> None:
    first = write_mail(subject="Broken spoke", text="The rear wheel wobbles.", message_id="<spoke@customer.example>")
    one = await deliver(api.support, first)
    await deliver(api.support, write_mail(subject="Re: spoke", text="Any news?", answers="<spoke@customer.example>"))
    await api.ana.post(f"/conversations/{one}/comments", {"text": "The wholesaler has none."})
    await deliver(api.support, write_mail(subject="Brake", text="The wheel is fine, any time."))
    assert await found(api.ana, "wobbles news") == [one]
    assert await found(api.ana, "news wholesaler rear") == [one]


async def test_not_and_or(api: Api) -> None:
    spoke = await deliver(api.support, write_mail(subject="Broken spoke", text="The rear wheel wobbles."))
    brake = await deliver(api.support, write_mail(subject="Brake noise", text="The front wheel squeals."))
    bell = await deliver(api.support, write_mail(subject="Bell", text="It is quiet."))
    assert await found(api.ana, "wheel -front") == [spoke]
    assert await found(api.ana, 'wheel -"rear wheel"') == [brake]
    assert await found(api.ana, "spoke OR bell") == [bell, spoke]
    assert await found(api.ana, "wheel spoke OR bell") == [spoke]
    assert await found(api.ana, "-wheel") == [bell]
    assert await found(api.ana, "-subject:brake -subject:bell") == [spoke]
    assert await found(api.ana, "subject:bell OR -is:open") == [bell]


async def test_recipients_by_address_and_by_the_name_of_a_contact(api: Api) -> None:
    mail = write_mail(to="support@northwind.example", cc="Ingrid Vale <vale@firm.example>")
    copied = await deliver(api.support, mail)
    plain = await deliver(api.support)
    wrote = await deliver(api.support, write_mail(sender="Ingrid Vale <vale@firm.example>"))
    assert set(await found(api.ana, "to:support@")) == {copied, plain, wrote}
    assert await found(api.ana, "to:firm.example") == await found(api.ana, "cc:vale") == [copied]
    assert await found(api.ana, 'to:"ingrid vale"') == await found(api.ana, "cc:ingrid") == [copied]
    assert await found(api.ana, "cc:support") == []


async def test_files_and_sizes(api: Api) -> None:
    large = write_mail(attachment=b"x" * 300_000, filename="Angebot Brücke.pdf")
    one, small = await deliver(api.support, large), await deliver(api.support)
    assert await found(api.ana, "filename:brucke") == await found(api.ana, "has:attachment") == [one]
    assert await found(api.ana, 'filename:"angebot brücke"') == [one]
    assert await found(api.ana, "filename:plan") == []
    assert await found(api.ana, "larger:300k") == [one] and await found(api.ana, "smaller:100k") == [small]
    assert await found(api.ana, "larger:5M") == []


async def test_days_are_those_of_the_last_mail(api: Api) -> None:
    now = datetime.now(UTC)
    made = [
        await deliver(api.support, write_mail(at=now - timedelta(days=days)), arrived=False) for days in (400, 40, 0)
    ]
    assert await found(api.ana, "before:7d") == [made[1], made[0]]
    assert await found(api.ana, "after:60d") == [made[2], made[1]]
    assert await found(api.ana, "after:60d before:7d") == [made[1]]
    assert await found(api.ana, f"on:{now - timedelta(days=400):%Y-%m-%d}") == [made[0]]


async def test_who_has_it_who_is_mentioned_and_tags(api: Api) -> None:
    one, other = await deliver(api.support), await deliver(api.support)
    await api.ana.put(f"/conversations/{one}/assignee", {"user_id": api.jonas.user_id})
    comment = {"text": "@Jonas, look.", "mention_ids": [api.jonas.user_id]}
    await api.ana.post(f"/conversations/{other}/comments", comment)
    tag = await api.ana.post("/tags", SaveTag(name="Großauftrag"), Tag)
    await api.ana.put(f"/conversations/{one}/tags", ChangeTags(add=[tag.id]))
    assert await found(api.ana, "assignee:jonas") == await found(api.jonas, "assignee:me") == [one]
    assert await found(api.ana, "assignee:none") == await found(api.ana, "-assignee:jonas") == [other]
    assert await found(api.ana, "mentions:jonas") == await found(api.jonas, "mentions:me") == [other]
    assert await found(api.ana, "tag:grossauftrag") == await found(api.ana, "has:tag") == [one]
    assert await found(api.ana, "has:comment") == [other]


async def test_places(api: Api) -> None:
    one = await deliver(api.support)
    toms = await deliver(api.toms_mailbox, write_mail(to="tom@northwind.example"))
    spam = await deliver(api.support)
    await api.ana.put(f"/conversations/{spam}/status", SetStatus(status="spam"))
    assert await found(api.ana, "in:supp") == [one]
    assert await found(api.ana, "in:support@northwind.example") == [one]
    assert await found(api.tom, "in:tom@northwind.example") == [toms]
    assert await found(api.ana, "in:spam") == await found(api.ana, "is:spam") == [spam]
    assert await found(api.ana, "in:anywhere squeaks") == [spam, one]
    assert await found(api.ana, "squeaks") == [one], "spam is left out unless it is asked for"


async def test_what_cannot_be_read_is_told_and_the_rest_is_searched(api: Api) -> None:
    one = await deliver(api.support)
    for q, word in (
        ("before:soon", "soon"),
        ("larger:big", "big"),
        ("is:nice", "is:nice"),
        ("has:teeth", "has:teeth"),
        ("assignee:nobodyatall", "nobodyatall"),
        ("tag:none", "none"),
        ("in:nowhere", "nowhere"),
        ("sort:colour", "relevance"),
    ):
        answer = await page(api.ana, f"{q} squeaks")
        assert [item.row.id for item in answer.items] == [one], q
        [sentence] = answer.told
        assert word in sentence and sentence.endswith(".")
        assert (await page(api.ana, q)).items == []


SEEING = (
    "secret", "-nothing", "from:carla", "to:support", "cc:vale", "subject:secret", "has:attachment", "has:comment",
    "filename:secret", "in:inbox", "in:anywhere", "is:open", "is:mine", "assignee:ana", "mentions:ana", "tag:hidden",
    "after:2d", "larger:1", "smaller:9M", "secret sort:relevance", "secrte",
)  # fmt: skip


@pytest.mark.parametrize("words", ["waiting", "entered"])
async def test_no_operator_finds_what_one_may_not_see(api: Api, words: str) -> None:
    mail = write_mail(
        subject="Secret handlebar", text="A secret.", cc="vale@firm.example", attachment=b"x", filename="secret.pdf"
    )
    one = await deliver(api.support, mail)
    mention = {"text": "@Ana, a secret.", "mention_ids": [api.ana.user_id]}
    await api.ana.post(f"/conversations/{one}/comments", mention)
    tag = await api.ana.post("/tags", SaveTag(name="Hidden"), Tag)
    await api.ana.put(f"/conversations/{one}/tags", ChangeTags(add=[tag.id]))
    await api.ana.put(f"/conversations/{one}/assignee", {"user_id": api.ana.user_id})
    await api.ana.put(f"/conversations/{one}/visibility", SetVisibility(visibility="confidential"))
    if words == "entered":
        await enter_words()
    for q in SEEING:
        if q != "secrte" or words == "entered":
            assert await found(api.ana, q) == [one], q
        for person in (api.jonas, api.tom, api.mallory):
            answer = await person.request("GET", "/search", params={"q": q})
            assert answer.json()["items"] == answer.json()["excerpts"] == [], q
            assert answer.json()["meant"] == "", "a word of mail that one may not read is not offered"


async def test_a_mailbox_that_one_cannot_open_looks_like_none(api: Api) -> None:
    for person in (api.ana, api.mallory):
        [sentence] = (await page(person, "in:tom@northwind.example")).told
        assert sentence == "You have no mailbox and no folder “tom@northwind.example”."


async def test_a_slip_of_the_finger_is_forgiven(api: Api) -> None:
    one = await deliver(api.support, write_mail(subject="Dérailleur", text="The saddle creaks in the rain."))
    await enter_words()
    for q, meant in (
        ("saddel", "saddle"),
        ("sadle", "saddle"),
        ("derailer", "derailleur"),
        ("craeks rain", "creaks rain"),
        ("saddle craeks", "saddle creaks"),
    ):
        answer = await page(api.ana, q)
        assert (answer.meant, answer.instead) == (meant, True), q
        assert [item.row.id for item in answer.items] == [one]
    for q in ("zzzzz", "sad", '"saddel"', "-saddel", "saddle"):
        assert (await page(api.ana, q)).meant == "", q


async def test_what_was_searched_for_is_marked(api: Api) -> None:
    long = "Nothing here. " * 40
    one = await deliver(api.support, write_mail(subject="Réparation", text=f"{long}Le dérailleur grince.\r\nMerci."))
    other = await deliver(api.support, write_mail(subject="Bell", text="It is quiet <b>here</b>."))
    await api.ana.post(f"/conversations/{other}/comments", {"text": "Ask about the derailleur."})
    by_id = {each.conversation_id: each for each in (await page(api.ana, "derail")).excerpts}
    assert [piece.text for piece in by_id[one].pieces if piece.hit] == ["dérailleur"]
    assert "".join(piece.text for piece in by_id[one].pieces).startswith("… ")
    assert [piece.text for piece in by_id[other].pieces if piece.hit] == ["derailleur"]
    assert by_id[other].comment_id is not None and by_id[one].message_id is not None
    [excerpt] = (await page(api.ana, "subject:reparation")).excerpts
    assert [piece.text for piece in excerpt.subject if piece.hit] == ["Réparation"] and excerpt.pieces == []
    [excerpt] = (await page(api.ana, "quiet here")).excerpts
    assert [piece.text for piece in excerpt.pieces if piece.hit] == ["quiet", "here"]


async def test_by_relevance_a_subject_weighs_more_than_a_text(api: Api) -> None:
    subject = await deliver(api.support, write_mail(subject="Saddle", text="It creaks."), arrived=False)
    others = [await deliver(api.support, write_mail(text=f"No saddle, number {n}.")) for n in range(55)]
    first = await page(api.ana, "saddle sort:relevance")
    assert first.items[0].row.id == subject and len(first.items) == 50
    second = await api.ana.get("/search", FoundPage, q="saddle sort:relevance", cursor=first.next_cursor)
    assert {item.row.id for item in first.items + second.items} == {subject, *others}
    assert second.next_cursor is None
    assert (await found(api.ana, "saddle"))[0] == others[-1]
    assert (await api.ana.refused("GET", "/search", params={"q": "saddle sort:relevance", "cursor": "x"})).status == 400


async def test_signs_that_are_written_without_blanks(api: Api) -> None:
    one = await deliver(api.support, write_mail(subject="自転車の修理", text="後輪のスポークが折れました。"))
    other = await deliver(api.support, write_mail(subject="Нужен ремонт", text="Сломалась спица, колесо бьёт."))
    for _ in range(2):  # before and after the words are taken down
        for q in ("自転車", "修理", "スポーク", '"スポークが"', "subject:修理"):
            assert await found(api.ana, q) == [one], q
        for q in ("ремонт", "СПИЦА", "бьет", "колес"):
            assert await found(api.ana, q) == [other], q
        await enter_words()
