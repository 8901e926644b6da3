"""Who may see what, as a matrix: every kind of person, by every kind of conversation, over every route there is.

Each conversation has a word of its own in its subject, mail, attachment, comment, draft and waiting mail. Everybody
asks everything that the OpenAPI document offers, searches for the words, and follows every stream from its beginning:
the word of a conversation must reach those who see it, and nobody else. A new route joins by itself.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from backend.compose.contracts import Draft, SendDraft
from backend.conversations.contracts import (
    AddComment,
    Assign,
    ConversationDetail,
    SetVisibility,
    ShareConversation,
    Visibility,
)
from backend.database.connection import fetch_value
from backend.mailboxes.contracts import SetMailboxMembers, WorkCounts
from backend.people.contracts import CreateInvitation, InvitationCreated, Me, SaveTeam, Team
from tests.backend.test_access_classes import PREFIX, ROUTES, Objects, Route, attach_picture, make_objects, query_of
from tests.servers.api import PASSWORD, Api, Caller, Member, Template, fresh_copy, token_in
from tests.servers.delivery import deliver, write_mail
from tests.servers.postgres import Databases

OPEN, PRIVATE, CONFIDENTIAL = "Quorvexa", "Blimtrass", "Snerdwol"
"""The words, one for each kind of conversation."""
QUIET_SECONDS = 0.4
"""A live socket that says nothing for so long has told everything."""

SEEN_BY = {
    "member": {OPEN, PRIVATE, CONFIDENTIAL},  # the confidential one is assigned to this one
    "member by team": {OPEN, PRIVATE},
    "owner without access": set[str](),
    "admin without access": set[str](),
    "member of other mailboxes": set[str](),
    "removed a moment ago": set[str](),
    "one conversation shared": {OPEN},
    "one conversation shared with the team": {OPEN},
}
READERS = {"member", "member by team"}
"""Who can open the mailbox."""


@dataclass(frozen=True)
class World:
    """`things` are the ids that stand in paths, by the word of their conversation."""

    api: Api
    people: dict[str, Member]
    things: dict[str, Objects]

    def may_not_see(self, person: str) -> set[str]:
        return set(self.things) - SEEN_BY[person]


@pytest.fixture(scope="module")
async def world(cast: Template, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with fresh_copy(cast, databases, tmp_path_factory.mktemp("matrix")) as api, api.serving():
        yield await make_world(api)


async def make_world(api: Api) -> World:
    everything = await make_objects(api)  # makes Tom an admin, too
    mei, rex = await join(api, "Mei"), await join(api, "Rex")
    team = await api.ana.post("/teams", SaveTeam(name="Workshop", member_ids=[mei.user_id]), Team)
    everybody = [api.ana.user_id, api.jonas.user_id, rex.user_id]
    await api.ana.put(f"/mailboxes/{api.support}/members", SetMailboxMembers(member_ids=everybody, team_ids=[team.id]))
    things = {
        word: await make_conversation(api, word, everything, [mei, rex]) for word in (OPEN, PRIVATE, CONFIDENTIAL)
    }
    for word in (PRIVATE, CONFIDENTIAL):  # shared before they turn private
        path = f"/conversations/{things[word].ids['conversation_id']}/shares"
        await api.jonas.post(path, ShareConversation(user_id=rex.user_id))
    hidden: dict[str, Visibility] = {PRIVATE: "private", CONFIDENTIAL: "confidential"}
    for word, visibility in hidden.items():
        path = f"/conversations/{things[word].ids['conversation_id']}"
        await api.jonas.put(f"{path}/visibility", SetVisibility(visibility=visibility))
    await api.ana.put(
        f"/mailboxes/{api.support}/members", SetMailboxMembers(member_ids=[api.jonas.user_id], team_ids=[team.id])
    )
    sol, liv = await join(api, "Sol"), await join(api, "Liv")
    office = await api.ana.post("/teams", SaveTeam(name="Office", member_ids=[liv.user_id]), Team)
    path = f"/conversations/{things[OPEN].ids['conversation_id']}/shares"
    await api.jonas.post(path, ShareConversation(user_id=sol.user_id))
    await api.jonas.post(path, ShareConversation(team_id=office.id))
    people = {
        "member": api.jonas,
        "member by team": mei,
        "owner without access": api.ana,
        "admin without access": api.tom,
        "member of other mailboxes": api.mallory,
        "removed a moment ago": rex,
        "one conversation shared": sol,
        "one conversation shared with the team": liv,
    }
    return World(api, people, things)


async def join(api: Api, name: str) -> Member:
    """A new colleague."""
    email = f"{name.lower()}@northwind.example"
    invited = await api.ana.post("/invitations", CreateInvitation(email=email), InvitationCreated)
    caller = Caller(api.application)
    accept = {"token": token_in(invited.link), "name": name, "password": PASSWORD}
    me = await caller.post("/invitations/accept", accept, Me)
    cookies = {cookie.name: cookie.value or "" for cookie in caller.client.cookies.jar}
    return Member(api.application, me.person.id, email, cookies)


async def make_conversation(api: Api, word: str, everything: Objects, mentioned: list[Member]) -> Objects:
    """One with everything in it that can hold the word. Only of the confidential one nobody else is told."""
    mail = write_mail(subject=f"About {word}", text=f"{word} it is.", attachment=word.encode())
    conversation_id = await deliver(api.support, mail)
    path = f"/conversations/{conversation_id}"
    await api.jonas.put(f"{path}/assignee", Assign(user_id=api.jonas.user_id))
    told = [] if word == CONFIDENTIAL else [each.user_id for each in mentioned]
    upload = {"file": (f"{word} beside.txt", word.encode(), "text/plain")}
    file_id = (await api.jonas.request("POST", f"{path}/comment-files", files=upload)).json()["id"]
    said = AddComment(text=f"{word}, who knows?", mention_ids=told, file_ids=[file_id], link_ids=[conversation_id])
    await api.jonas.post(f"{path}/comments", said)
    await api.jonas.put(f"{path}/tags", {"add": [everything.ids["tag_id"]]})
    waiting = await write_draft(api, conversation_id, word)
    send = SendDraft(version=waiting.version, undo_seconds=3600, even_if_answered=True)
    outgoing = await api.jonas.post(f"/drafts/{waiting.id}/send", send)
    draft = await write_draft(api, conversation_id, word)
    form = {"file": (f"{word}.txt", word.encode(), "text/plain")}
    attached = await api.jonas.request("POST", f"/drafts/{draft.id}/attachments", files=form)
    pictured = await attach_picture(api.jonas, draft, word.encode())
    message = (await api.jonas.get(path, ConversationDetail)).messages[0]
    ids = {
        "conversation_id": conversation_id,
        "message_id": message.id,
        "position": message.attachments[0].position,
        "draft_id": draft.id,
        "attachment_id": attached.json()["attachments"][0]["id"],
        "content_id": pictured,
        "outgoing_id": outgoing["id"],
        "comment_id": (await api.jonas.get(path, ConversationDetail)).comments[0].id,
        "comment_file_id": file_id,
    }
    return replace(everything, ids=everything.ids | ids)


async def write_draft(api: Api, conversation_id: int, word: str) -> Draft:
    draft = await api.jonas.post("/drafts", {"kind": "reply", "conversation_id": conversation_id}, Draft)
    to = [{"name": "Carla", "address": "carla@customer.example"}]
    saved = {"version": draft.version, "to": to, "cc": [], "bcc": [], "subject": f"Re: {word}", "text": f"Dear {word}"}
    return await api.jonas.put(f"/drafts/{draft.id}", saved, Draft)


OF_A_CONVERSATION = {"conversation_id", "message_id", "draft_id", "attachment_id", "content_id", "outgoing_id"}
OF_A_CONVERSATION |= {"comment_id", "comment_file_id"}
READING = [route for route in ROUTES if route.method == "GET" and not route.path.endswith("/oauth/callback")]
SCOPED = [route for route in ROUTES if OF_A_CONVERSATION & set(route.parameters)]


def searches(route: Route, words: Iterator[str]) -> list[dict[str, Any]]:
    """The query to ask with; where it is a search, once for each word."""
    query = query_of(route)
    return [query | {"q": word} for word in words] if "q" in query else [query]


@pytest.mark.parametrize("route", READING, ids=str)
async def test_no_answer_holds_what_somebody_may_not_see(world: World, route: Route) -> None:
    for name, person in world.people.items():
        hidden = world.may_not_see(name)
        for things in world.things.values() if OF_A_CONVERSATION & set(route.parameters) else [world.things[OPEN]]:
            for query in searches(route, iter(world.things)):
                reply = await person.request("GET", route.filled(things), params=query)
                found = {word for word in hidden if word.lower() in _without(query, reply.text.lower())}
                assert not found, f"{name} reads {found}"


def _without(query: dict[str, Any], text: str) -> str:
    """An answer may repeat the words that were searched for."""
    return text.replace(f'"query":"{str(query.get("q", "")).lower()}"', "")


@pytest.mark.parametrize("route", SCOPED, ids=str)
async def test_what_somebody_may_not_see_is_not_there_for_them(world: World, route: Route) -> None:
    for name, person in world.people.items():
        for word in world.may_not_see(name):
            reply = await person.request(route.method, route.filled(world.things[word]), params=query_of(route))
            assert reply.status_code == 404, f"{name} asks for {word}: {reply.status_code}"


TELLING = ["/conversations/{conversation_id:int}", "/messages/{message_id:int}", "/drafts/{draft_id:int}"]


@pytest.mark.parametrize("path", TELLING)
async def test_who_may_see_it_is_told(world: World, path: str) -> None:
    """Else the silence of the tests above would prove nothing."""
    route = next(each for each in READING if each.path == path)
    for name, person in world.people.items():
        for word in SEEN_BY[name]:
            assert word in (await person.request("GET", route.filled(world.things[word]))).text


async def test_a_search_finds_what_one_may_see(world: World) -> None:
    for name, person in world.people.items():
        found = {
            word for word in world.things if word in (await person.request("GET", "/search", params={"q": word})).text
        }
        assert found == SEEN_BY[name]


async def test_every_stream_from_its_beginning_tells_what_one_may_see(world: World) -> None:
    for name, person in world.people.items():
        told = await everything_told(world, person)
        found = {word for word in world.things if word in told}
        assert found == SEEN_BY[name], name


async def everything_told(world: World, person: Member) -> str:
    """The text of all frames of all streams, of others' too."""
    api = world.api
    streams = ["organisation", *(f"mailbox:{number}" for number in (api.support, api.toms_mailbox))]
    streams += [each.stream for each in world.people.values()]
    frames: list[str] = []
    async with api.live(person, since=dict.fromkeys(streams, 0)) as live:
        while True:
            try:
                frames.append(str(await asyncio.wait_for(live.socket.recv(), QUIET_SECONDS)))
            except TimeoutError:
                return "\n".join(frames)


async def test_counts_count_what_one_may_see(world: World) -> None:
    everywhere = await fetch_value("SELECT count(*) FROM conversations WHERE mailbox_id = $1", world.api.support)
    beside = everywhere - len(world.things)  # what the world began with, open to all members
    for name, person in world.people.items():
        counts = await person.get("/counts", WorkCounts)
        mine = {each.mailbox_id: each.open for each in counts.mailboxes}
        seen = SEEN_BY[name]
        assert mine.get(world.api.support) == (beside + len(seen) if name in READERS else None), name
        assert counts.shared == (0 if name in READERS else len(seen)), name


async def test_what_is_shared_with_somebody_is_theirs_to_read_and_comment_only(world: World) -> None:
    for name in set(SEEN_BY) - READERS:
        for route in SCOPED:
            if SEEN_BY[name] and route.access_class == "handling":
                things = world.things[OPEN]
                reply = await world.people[name].request(route.method, route.filled(things), params=query_of(route))
                assert reply.status_code == 403, f"{name} asks {route}: {reply.status_code}"


GUESTS_MAY = {
    "PUT /conversations/{conversation_id:int}/read",
    "PUT /conversations/{conversation_id:int}/reminder",
    "DELETE /conversations/{conversation_id:int}/reminder",
    "POST /conversations/{conversation_id:int}/comments",
    "PUT /conversations/{conversation_id:int}/following",
    "PUT /comments/{comment_id:int}",
    "DELETE /comments/{comment_id:int}",
    "PUT /comments/{comment_id:int}/reactions",
    "POST /conversations/{conversation_id:int}/comment-files",
    "DELETE /comment-files/{comment_file_id:int}",
}
"""What changes something, and is open to whom a conversation is shared with. The rest is of the class `handling`."""


def test_nothing_else_can_be_changed_by_whom_a_conversation_is_shared_with() -> None:
    open_to_all = {str(each) for each in SCOPED if each.method != "GET" and each.access_class == "conversation"}
    assert open_to_all == GUESTS_MAY


def test_every_route_that_reads_is_in_the_matrix() -> None:
    paths = {PREFIX + route.path for route in READING}
    assert len(paths) > 25 and any("attachments" in path for path in paths) and any("search" in path for path in paths)
