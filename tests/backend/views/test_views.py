"""Saved views: who can use and change them, and what is in them for whoever looks."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from backend.conversations.contracts import (
    AddComment,
    Assign,
    ConversationPage,
    SetReminder,
    SetStar,
    SetStatus,
    SetVisibility,
)
from backend.database.connection import execute
from backend.events.contracts import Snapshot
from backend.mail.word_index import enter_words
from backend.mailboxes.contracts import CreateMailbox, MailboxSettings
from backend.people.contracts import SaveTeam, Team, UpdatePerson
from backend.tags.contracts import ChangeTags, SaveTag, Tag
from backend.views.contracts import Filters, SavedView, SaveView, Shared, ViewChanged, ViewCount, ViewGone
from frontend.inbox.listing import Listing, listed
from frontend.view import begin
from tests.servers.api import Api, Member
from tests.servers.delivery import deliver, write_mail


async def save(
    person: Member, *, name: str = "A view", shared: Shared = "nobody", team: int | None = None, **what: Any
) -> SavedView:
    body = SaveView(name=name, filters=Filters(**what), shared=shared, team_id=team)
    return await person.post("/views", body, SavedView)


async def names(person: Member) -> list[str]:
    return [view.name for view in await person.get("/views", list[SavedView])]


async def found(person: Member, **what: Any) -> list[int]:
    """What fits these filters, in order."""
    text = msgspec.json.encode(Filters(**what)).decode()
    page = await person.get("/filtered", ConversationPage, filters=text)
    return [item.row.id for item in page.items]


# -- who can use and change them


async def test_a_view_is_its_maker_s_until_it_is_shared(api: Api) -> None:
    view = await save(api.jonas, name="Waiting for parts")
    assert await names(api.jonas) == ["Waiting for parts"]
    assert await names(api.ana) == []
    path = f"/views/{view.id}"
    for stranger in (api.ana, api.mallory):
        assert (await stranger.refused("GET", f"{path}/conversations")).status == 404
        assert (await stranger.refused("PUT", path, SaveView(name="Mine", filters=Filters()))).status == 404
        assert (await stranger.refused("DELETE", path)).status == 404
    await api.jonas.put(path, SaveView(name="Parts", filters=Filters(), shared="everybody"))
    assert await names(api.mallory) == ["Parts"]
    await api.jonas.put(path, SaveView(name="Parts", filters=Filters()))
    assert await names(api.mallory) == []


async def test_a_team_s_view_is_used_by_its_members(api: Api) -> None:
    team = await api.ana.post("/teams", SaveTeam(name="Service", member_ids=[api.jonas.user_id]), Team)
    view = await save(api.jonas, shared="team", team=team.id)
    assert [await names(each) for each in (api.jonas, api.tom)] == [["A view"], []]
    await api.ana.put(f"/teams/{team.id}", SaveTeam(name="Service", member_ids=[api.tom.user_id]))
    assert [await names(each) for each in (api.jonas, api.tom)] == [["A view"], ["A view"]]
    assert view.team_id == team.id
    await api.ana.delete(f"/teams/{team.id}")
    assert [await names(each) for each in (api.jonas, api.tom)] == [["A view"], []]


async def test_one_shares_with_a_team_of_one_s_own(api: Api) -> None:
    team = await api.ana.post("/teams", SaveTeam(name="Service", member_ids=[api.tom.user_id]), Team)
    body = SaveView(name="Theirs", filters=Filters(), shared="team", team_id=team.id)
    assert "team_id" in (await api.jonas.refused("POST", "/views", body)).details["fields"]
    await api.ana.post("/views", body, SavedView)
    assert await names(api.tom) == ["Theirs"]


async def test_a_shared_view_is_changed_by_its_maker_and_admins(api: Api) -> None:
    team = await api.ana.post("/teams", SaveTeam(name="Service", member_ids=[api.jonas.user_id, api.tom.user_id]), Team)
    view = await save(api.jonas, shared="team", team=team.id)
    other = SaveView(name="Changed", filters=Filters(unread=True), shared="team", team_id=team.id)
    assert (await api.tom.refused("PUT", f"/views/{view.id}", other)).status == 403
    assert (await api.tom.refused("DELETE", f"/views/{view.id}")).status == 403
    await api.ana.patch(f"/people/{api.tom.user_id}", UpdatePerson(role="admin"))
    changed = await api.tom.put(f"/views/{view.id}", other, SavedView)
    assert (changed.maker_id, changed.name, changed.filters.unread) == (api.jonas.user_id, "Changed", True)
    # An admin mends also what is shared with a team that they are not in.
    assert [each.id for each in await api.ana.get("/shared-views", list[SavedView])] == [view.id]
    await api.ana.delete(f"/views/{view.id}")
    assert await names(api.jonas) == []


async def test_it_is_told_to_those_who_can_use_it(served: Api) -> None:
    team = await served.ana.post("/teams", SaveTeam(name="Service", member_ids=[served.tom.user_id]), Team)
    async with served.live(served.tom) as toms, served.live(served.mallory) as mallorys:
        view = await save(served.ana, name="Own")
        shared = SaveView(name="Shared", filters=Filters(), shared="team", team_id=team.id)
        await served.ana.put(f"/views/{view.id}", shared)
        assert (await toms.event(ViewChanged)).view.name == "Shared"
        await served.ana.put(f"/views/{view.id}", SaveView(name="Own", filters=Filters()))
        assert (await toms.event(ViewGone)).view_id == view.id
        await save(served.ana, name="For all", shared="everybody")
        assert (await mallorys.event(ViewChanged)).view.name == "For all"
        assert "Own" not in repr(toms.frames) and "Shared" not in repr(mallorys.frames)


@pytest.mark.parametrize(
    "wrong",
    [{"newer_than_days": 0}, {"mailbox_ids": [2**70]}, {"words": "x" * 400}, {"correspondent": "a\x00b"}],
)
async def test_what_nobody_can_mean_is_refused(api: Api, wrong: dict[str, Any]) -> None:
    refusal = await api.ana.refused("POST", "/views", {"name": "Odd", "filters": wrong})
    assert refusal.status in (400, 422)
    reply = await api.ana.request("GET", "/filtered", params={"filters": msgspec.json.encode(wrong).decode()})
    assert reply.status_code in (400, 422)


async def test_filters_that_are_none_are_refused(api: Api) -> None:
    for text in ("nonsense", '{"colour": 1}', "[]"):
        reply = await api.ana.request("GET", "/filtered", params={"filters": text})
        assert reply.status_code == 400


# -- what is in them


async def test_it_holds_what_fits_for_whoever_looks(api: Api) -> None:
    numbers = [await deliver(api.support, write_mail(subject=f"Mail {number}")) for number in range(4)]
    for person, number in ((api.ana, numbers[0]), (api.jonas, numbers[1])):
        await api.ana.put(f"/conversations/{number}/assignee", Assign(user_id=person.user_id))
    await api.ana.put(f"/conversations/{numbers[2]}/status", SetStatus(status="done"))
    mine = await save(api.ana, assigned="to_me", shared="everybody")
    for person, seen in ((api.ana, [numbers[0]]), (api.jonas, [numbers[1]]), (api.mallory, [])):
        page = await person.get(f"/views/{mine.id}/conversations", ConversationPage)
        assert [item.row.id for item in page.items] == seen
    assert await found(api.ana, assigned="to_nobody") == [numbers[3]]
    assert await found(api.ana, assigned="to_these", person_ids=[api.jonas.user_id]) == [numbers[1]]
    assert await found(api.ana, statuses=["done"]) == [numbers[2]]
    assert await found(api.ana, statuses=[], order="oldest") == numbers


async def test_what_one_may_not_see_is_in_no_view(api: Api) -> None:
    number = await deliver(api.support, write_mail(subject="Secret"))
    view = await save(api.jonas, shared="everybody", words="Secret", mailbox_ids=[api.support])
    await api.jonas.put(f"/conversations/{number}/visibility", SetVisibility(visibility="confidential"))
    for person, count in ((api.jonas, 1), (api.ana, 0), (api.mallory, 0)):
        page = await person.get(f"/views/{view.id}/conversations", ConversationPage)
        assert len(page.items) == count
        assert await person.get("/view-counts", list[ViewCount]) == [ViewCount(view_id=view.id, open=count)]


async def test_words_stand_in_mails_and_comments(api: Api) -> None:
    first = await deliver(api.support, write_mail(subject="Wheel", text="The Räder are bent."))
    second = await deliver(api.support, write_mail(subject="Bell"))
    await api.ana.post(f"/conversations/{second}/comments", AddComment(text="It has bent rader, too."))
    for _ in ("waiting", "taken down"):
        assert await found(api.ana, words="räder bent") == [second, first]
        assert await found(api.ana, words="wheel bell") == []
        await enter_words()
    assert await found(api.mallory, words="bent") == []


async def test_who_wrote_is_an_address_or_a_domain(api: Api) -> None:
    carla = await deliver(api.support)
    lena = await deliver(api.support, write_mail(sender="Lena <Lena@wirth.example>"))
    assert await found(api.ana, correspondent="lena@wirth.example") == [lena]
    assert await found(api.ana, correspondent="Customer.example") == [carla]
    assert await found(api.ana, correspondent="@wirth.example") == [lena]
    assert await found(api.ana, correspondent="mer.example") == []


async def test_pages_follow_each_other_in_both_orders(api: Api) -> None:
    numbers = [await deliver(api.support, write_mail(subject=f"Mail {n}")) for n in range(53)]
    for order, expected in (("newest", numbers[::-1]), ("oldest", numbers)):
        view = await save(api.ana, order=order)
        seen: list[int] = []
        query: dict[str, str] = {}
        while True:
            page = await api.ana.get(f"/views/{view.id}/conversations", ConversationPage, **query)
            seen += [item.row.id for item in page.items]
            if page.next_cursor is None:
                break
            query = {"cursor": page.next_cursor}
        assert seen == expected


async def test_counts_are_of_what_is_open_and_end_at_a_hundred(api: Api) -> None:
    await deliver(api.support)
    await execute(
        "INSERT INTO conversations (mailbox_id, subject) SELECT $1, 'Question ' || n FROM generate_series(1, 120) n",
        api.support,
    )
    everything, done = await save(api.ana), await save(api.ana, statuses=["done"])
    counts = {each.view_id: each.open for each in await api.ana.get("/view-counts", list[ViewCount])}
    assert counts == {everything.id: 100, done.id: 0}


# -- the interface's own reading of the filters says the same

FILTERS: list[dict[str, Any]] = [
    {},
    {"statuses": []},
    {"statuses": ["done", "trash"]},
    {"assigned": "to_me"},
    {"assigned": "to_nobody", "statuses": []},
    {"assigned": "to_these", "person_ids": ["jonas"], "team_ids": ["team"]},
    {"tag_ids": ["red", "blue"]},
    {"tag_ids": ["red", "blue"], "every_tag": True},
    {"tag_ids": ["red", "gone"]},
    {"tag_ids": ["red", "gone"], "every_tag": True},
    {"unread": True},
    {"reminded": True},
    {"starred": True, "statuses": []},
    {"visibilities": ["private", "confidential"]},
    {"correspondent": "customer.example", "order": "oldest"},
    {"correspondent": "lena@wirth.example"},
    {"newer_than_days": 3},
    {"older_than_days": 3, "statuses": []},
    {"mailbox_ids": ["support"]},
    {"mailbox_ids": ["sales"], "statuses": []},
    {"followed": True, "statuses": []},
    {"match": "any"},
    {"match": "any", "unread": True, "starred": True, "statuses": []},
    {"match": "any", "assigned": "to_me", "tag_ids": ["red"], "mailbox_ids": ["support"]},
    {"match": "any", "reminded": True, "visibilities": ["private"], "newer_than_days": 3},
    {"match": "any", "older_than_days": 3, "followed": True, "statuses": []},
    {"match": "any", "assigned": "to_these", "person_ids": ["jonas"], "team_ids": ["team"], "reminded": True},
]


async def test_a_tab_decides_as_the_database_does(api: Api) -> None:
    ids = await make_variety(api)
    for person in (api.ana, api.jonas, api.tom):
        snapshot = await person.get("/snapshot", Snapshot, conversations=True)
        view = begin(snapshot)
        for wanted in FILTERS:
            named: dict[str, Any] = {
                key: [ids.get(each, each) for each in value] if isinstance(value, list) else value
                for key, value in wanted.items()
            }
            filters = Filters(**named)
            listing = Listing(kind="filter", query=msgspec.json.encode(filters).decode())
            assert [row.id for row in listed(view, listing)] == await found(person, **named), (person.email, wanted)


async def make_variety(api: Api) -> dict[str, int]:
    """Conversations of every kind; answers the ids of what filters name."""
    ana, jonas = api.ana, api.jonas
    team = await ana.post("/teams", SaveTeam(name="Service", member_ids=[jonas.user_id]), Team)
    sales = CreateMailbox(
        kind="group", name="Sales", address="sales@northwind.example", member_ids=[ana.user_id, api.tom.user_id]
    )
    sales_id = (await ana.post("/mailboxes", sales, MailboxSettings)).id
    red, blue, gone = [await ana.post("/tags", SaveTag(name=name), Tag) for name in ("Red", "Blue", "Gone")]
    numbers = [
        await deliver(mailbox, write_mail(subject=f"{n}")) for n in range(14) for mailbox in (api.support, sales_id)
    ]
    numbers.append(await deliver(api.support, write_mail(sender="Lena <lena@wirth.example>")))
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    for at, number in enumerate(numbers):
        path = f"/conversations/{number}"
        match at % 7:
            case 0:
                await ana.put(f"{path}/assignee", Assign(user_id=ana.user_id))
            case 1:
                await ana.put(f"{path}/assignee", Assign(team_id=team.id))
            case 2:
                await ana.put(f"{path}/tags", ChangeTags(add=[red.id, gone.id] + ([blue.id] if at % 2 else [])))
            case 3:
                await ana.put(f"{path}/status", SetStatus(status="done" if at % 2 else "trash"))
            case 4:
                await ana.put(f"{path}/reminder", SetReminder(at=tomorrow, kind="snooze" if at % 2 else "reminder"))
            case 5:
                await ana.put(f"{path}/visibility", SetVisibility(visibility="private" if at % 2 else "confidential"))
            case _:
                await ana.put(f"{path}/read", {"read": True})
                await ana.put(f"{path}/star", SetStar(starred=True))
        if at % 4 == 0:
            await execute("UPDATE conversations SET last_at = last_at - interval '5 days' WHERE id = $1", number)
    await ana.delete(f"/tags/{gone.id}")
    return {
        "jonas": jonas.user_id, "team": team.id, "red": red.id, "blue": blue.id, "gone": gone.id,
        "support": api.support, "sales": sales_id,
    }  # fmt: skip
