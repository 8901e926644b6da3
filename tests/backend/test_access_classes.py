"""Every route declares for whom it is, and is held to it: tested route by route over the application's own list.

A new route joins by itself. When its path or its query names something that this test does not know, the test fails
and says what to add.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from litestar import Litestar, get
from litestar.routes import HTTPRoute, WebSocketRoute

from backend.access.asker import Asker
from backend.access.classes import FETCHES, access, check_every_route_declares, declared_class
from backend.app import create_app
from backend.compose.contracts import Draft, SendDraft
from backend.contacts.contracts import ContactPage
from backend.conversations.contracts import ConversationDetail
from backend.database.connection import fetch_row, fetch_value
from backend.errors import NotFound
from backend.notifications.contracts import Device
from backend.people.contracts import CreateInvitation, InvitationCreated, SaveTeam, Team, UpdatePerson
from backend.settings import read_settings
from backend.tags.contracts import ChangeTags, SaveTag, Tag
from tests.servers.api import Api, Member, Template, fresh_copy
from tests.servers.delivery import deliver, write_mail
from tests.servers.postgres import Databases
from tests.servers.push_service import Subscriber

PREFIX = "/api/v1"
MAIL = "Xylophonquark"
"""A word that stands in every text of the conversation, and nowhere else."""
NAME = "Zwieselbach"
"""A word in the mailbox's name."""


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    access_class: str | None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"{(\w+)", self.path)

    def filled(self, objects: "Objects") -> str:
        """The path with real things in it."""
        path = self.path
        for parameter in self.parameters:
            if parameter not in objects.ids:
                pytest.fail(f"{self} names {{{parameter}}}: let `make_objects` make such a thing.")
            path = re.sub(rf"{{{parameter}(:\w+)?}}", str(objects.ids[parameter]), path)
        return path


def application() -> Litestar:
    """The application as it is composed, without a database."""
    return create_app(read_settings({"TANDEM_SECRET_KEY": "5a" * 32, "TANDEM_DATA": "/nowhere"}))


def routes_of(composed: Litestar) -> list[Route]:
    found = []
    for route in composed.routes:
        if not isinstance(route, HTTPRoute) or not route.path.startswith(PREFIX):
            continue
        for handler in route.route_handlers:
            if handler.opt.get("documentation") or handler.http_methods == {"OPTIONS"}:
                continue
            for method in sorted(handler.http_methods):
                found.append(Route(str(method), route.path.removeprefix(PREFIX), declared_class(handler)))
    return sorted(found, key=str)


COMPOSED = application()
ROUTES = [route for route in routes_of(COMPOSED) if not route.path.startswith("/schema")]
SCHEMA = COMPOSED.openapi_schema.to_schema()


def of_class(*names: str) -> Any:
    return pytest.mark.parametrize("route", [r for r in ROUTES if r.access_class in names], ids=str)


@dataclass(frozen=True)
class Objects:
    """A world with one of everything, in Ana's and Jonas's mailbox. Tom is an admin who cannot open it."""

    api: Api
    ids: dict[str, int | str]
    """By the name of the parameter in a path."""


@pytest.fixture(scope="module")
async def objects(
    cast: Template, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Objects]:
    async with fresh_copy(cast, databases, tmp_path_factory.mktemp("objects")) as api:
        yield await make_objects(api)


async def attach_picture(who: Member, draft: Draft, content: bytes = b"pixels") -> str:
    """Put a picture into a draft; answers its content-id."""
    form = {"file": ("hub.png", content, "image/png")}
    answer = await who.request("POST", f"/drafts/{draft.id}/attachments?in_text=true", files=form)
    return answer.json()["attachments"][-1]["content_id"]


async def make_objects(api: Api) -> Objects:
    ana = api.ana
    await ana.patch(f"/people/{api.tom.user_id}", UpdatePerson(role="admin"))
    await ana.patch(f"/mailboxes/{api.support}", {"name": NAME})
    picture = bytes.fromhex("89504e470d0a1a0a")
    mail = write_mail(
        subject=f"About {MAIL}", text=f"{MAIL} it is.", sender=f"{MAIL} <{MAIL}@customer.example>", attachment=picture
    )
    conversation_id = await deliver(api.support, mail)
    form = {"file": (f"{MAIL}.txt", b"text", "text/plain")}
    path = f"/conversations/{conversation_id}"
    file_id = (await api.jonas.request("POST", f"{path}/comment-files", files=form)).json()["id"]
    mentioned = [api.jonas.user_id, ana.user_id]
    comment = {"text": f"{MAIL}, Jonas? #{conversation_id}", "mention_ids": mentioned, "file_ids": [file_id]}
    await api.jonas.post(f"{path}/comments", comment | {"link_ids": [conversation_id]})
    await ana.put(f"/conversations/{conversation_id}/assignee", {"user_id": ana.user_id})
    detail = await ana.get(f"/conversations/{conversation_id}", ConversationDetail)
    sent = await write_draft(api, conversation_id)
    frozen = SendDraft(version=sent.version, undo_seconds=3600, even_if_answered=True)
    outgoing = await ana.post(f"/drafts/{sent.id}/send", frozen)
    draft = await write_draft(api, conversation_id)
    attached = await ana.request("POST", f"/drafts/{draft.id}/attachments", files=form)
    pictured = await attach_picture(ana, draft)
    discarded = await write_draft(api, conversation_id)
    await ana.delete(f"/drafts/{discarded.id}")
    invited = await ana.post("/invitations", CreateInvitation(email="mei@northwind.example"), InvitationCreated)
    team = await ana.post("/teams", SaveTeam(name="Service", member_ids=[]), Team)
    tag = await ana.post("/tags", SaveTag(name="Warranty"), Tag)
    await ana.put(f"/conversations/{conversation_id}/tags", ChangeTags(add=[tag.id]))
    view = await ana.post("/views", {"name": "Everything", "filters": {}, "shared": "everybody"})
    template = await ana.post("/templates", {"name": "Thanks", "text": "Hello", "shared": "everybody"})
    sent_up = await ana.request("POST", "/template-pictures", files={"file": ("hub.png", picture, "image/png")})
    document = await ana.request("POST", "/documents", files={"file": ("prices.pdf", b"pdf", "application/pdf")})
    shared = await share(ana, conversation_id, document.json()["id"])
    begun = await ana.post(f"/drafts/{draft.id}/uploads", {"filename": f"{MAIL}.bin", "size": 0, "link_days": 1})
    meeting_id = await invite(api, conversation_id)
    link = await ana.post("/links", {"kind": "survey", "name": "Ask", "url": "https://ask.example/"})
    token = await ana.post("/me/tokens", {"name": "Reports"})
    browser = Subscriber("https://push.example.net/1")
    device = await ana.post("/push/devices", browser.wanted(), Device)
    message = detail.messages[0]
    intake = await ana.post("/mailboxes", {"kind": "intake", "name": "Intake", "address": "intake@northwind.example"})
    waiting = write_mail(subject=MAIL, text=MAIL, to="nobody@northwind.example")
    place = {"name": "Relay", "host": "smtp.northwind.example", "port": 587, "security": "starttls"}
    server = await ana.post("/outgoing-servers", place)
    identity = await ana.post("/identities", {"name": "Sales", "address": "sales@northwind.example"})
    return Objects(
        api,
        {
            "mailbox_id": api.support,
            "conversation_id": conversation_id,
            "message_id": message.id,
            "position": message.attachments[0].position,
            "contact_id": (await ana.get("/contacts", ContactPage)).items[0].id,
            "draft_id": draft.id,
            "discarded_id": discarded.id,
            "attachment_id": attached.json()["attachments"][0]["id"],
            "content_id": pictured,
            "outgoing_id": outgoing["id"],
            "person_id": api.jonas.user_id,
            "comment_id": detail.comments[0].id,
            "comment_file_id": file_id,
            "tag_id": tag.id,
            "view_id": view["id"],
            "template_id": template["id"],
            "picture": sent_up.json()["content_id"],
            "link_id": link["id"],
            "upload_id": begun["id"],
            "document_id": document.json()["id"],
            "number": 1,
            "file_id": shared[0],
            "meeting_id": meeting_id,
            "key": shared[1],
            "job_id": await fetch_value("SELECT min(id) FROM pgqueuer"),
            "team_id": team.id,
            "invitation_id": invited.invitation.id,
            "token_id": token["token"]["id"],
            "device_id": device.id,
            "server_id": server["id"],
            "identity_id": identity["id"],
            "address_id": await fetch_value("SELECT min(id) FROM used_addresses"),
            "unsorted_id": await deliver(intake["id"], waiting),
        },
    )


async def share(who: Member, conversation_id: int, document_id: int) -> tuple[int, str]:
    """Send a document as a link; answers its number in the conversation, and the key."""
    draft = await who.post("/drafts", {"kind": "reply", "conversation_id": conversation_id}, Draft)
    made = await who.post(f"/drafts/{draft.id}/documents/{document_id}/link", {})
    saved = {"to": [{"name": "", "address": "carla@customer.example"}], "cc": [], "bcc": [], "subject": "Prices"}
    draft = await who.put(f"/drafts/{draft.id}", saved | {"version": draft.version, "text": made["text"]}, Draft)
    await who.post(f"/drafts/{draft.id}/send", SendDraft(version=draft.version, undo_seconds=30, even_if_answered=True))
    detail = await who.get(f"/conversations/{conversation_id}", ConversationDetail)
    return detail.shared_files[0].id, made["url"].rpartition("/")[2]


async def invite(api: Api, conversation_id: int) -> int:
    """Invite to a meeting; answers its number."""
    draft = await write_draft(api, conversation_id)
    given = {"title": MAIL, "day": "2099-12-03", "start": "10:00:00", "minutes": 30, "zone": "Europe/Lisbon"}
    await api.ana.put(f"/drafts/{draft.id}/meeting", given)
    sending = SendDraft(version=draft.version, undo_seconds=3600, even_if_answered=True)
    await api.ana.post(f"/drafts/{draft.id}/send", sending)
    return (await api.ana.get(f"/conversations/{conversation_id}", ConversationDetail)).meetings[0].id


async def write_draft(api: Api, conversation_id: int) -> Draft:
    draft = await api.ana.post("/drafts", {"kind": "reply", "conversation_id": conversation_id}, Draft)
    saved = {
        "version": draft.version,
        "to": [{"name": MAIL, "address": "carla@customer.example"}],
        "cc": [],
        "bcc": [],
        "subject": f"Re: {MAIL}",
        "text": f"Dear {MAIL}",
    }
    return await api.ana.put(f"/drafts/{draft.id}", saved, Draft)


QUERY: dict[str, Any] = {
    "q": MAIL,
    "view": "mine",
    "conversations": True,
    "name": NAME,
    "url": "https://pictures.example/1.png",
    "sig": "not ours",
    "address": f"{MAIL}@customer.example",
    "ids": list(range(1, 40)),
}
"""What stands for a query parameter that a list needs, or can be searched by."""


def query_of(route: Route) -> dict[str, Any]:
    operation = operation_of(route)
    query = {}
    for parameter in operation.get("parameters", []):
        if parameter["in"] != "query":
            continue
        name = parameter["name"]
        if name in QUERY:
            query[name] = QUERY[name]
        elif parameter.get("required"):
            pytest.fail(f"{route} needs the query parameter {name}: say in QUERY what stands for it.")
    return query


def operation_of(route: Route) -> dict[str, Any]:
    path = re.sub(r"{(\w+):\w+}", r"{\1}", PREFIX + route.path)
    documented = SCHEMA["paths"].get(path, {}).get(route.method.lower())
    assert documented is not None, f"{route} does not stand in the OpenAPI document."
    return documented


# -- every route declares ------------------------------------------------------------------------------------------


def test_every_route_declares_its_class_and_stands_in_the_document() -> None:
    assert len(ROUTES) > 50
    for route in ROUTES:
        assert route.access_class is not None, f"{route} declares no access class."
        operation_of(route)
    documented = {
        (method.upper(), path.removeprefix(PREFIX)) for path, item in SCHEMA["paths"].items() for method in item
    }
    walked = {(route.method, re.sub(r"{(\w+):\w+}", r"{\1}", route.path)) for route in ROUTES}
    assert {pair for pair in documented if not pair[1].startswith("/schema")} == walked


def test_the_live_socket_is_for_the_signed_in() -> None:
    sockets = [route for route in COMPOSED.routes if isinstance(route, WebSocketRoute)]
    assert {(route.path, declared_class(route.route_handler)) for route in sockets} == {
        (f"{PREFIX}/live", "signed_in"),
        (f"{PREFIX}/drafts/{{draft_id:int}}/together", "handling"),
    }


@get("/undeclared")
async def undeclared() -> None: ...


@get("/of-a-conversation", **access("conversation"))
async def of_nothing() -> None: ...


@pytest.mark.parametrize(("handler", "words"), [(undeclared, "no access class"), (of_nothing, "names none of")])
def test_a_route_that_declares_none_or_fetches_nothing_fails(handler: Any, words: str) -> None:
    with pytest.raises(RuntimeError, match=words):
        check_every_route_declares(Litestar([handler], openapi_config=None))


# -- nobody --------------------------------------------------------------------------------------------------------


@of_class("public")
async def test_public_routes_need_nobody(objects: Objects, route: Route) -> None:
    reply = await objects.api.stranger().request(route.method, route.filled(objects))
    assert reply.status_code not in (401, 403, 404, 500)


@of_class("signed_in", "admin", "mailbox", "mailbox_settings", "conversation", "handling")
async def test_every_other_route_needs_somebody(objects: Objects, route: Route) -> None:
    reply = await objects.api.stranger().request(route.method, route.filled(objects), params=query_of(route))
    assert reply.status_code == 401


# -- members -------------------------------------------------------------------------------------------------------


@of_class("admin")
async def test_admin_routes_refuse_members(objects: Objects, route: Route) -> None:
    for member in (objects.api.jonas, objects.api.mallory):
        reply = await member.request(route.method, route.filled(objects), params=query_of(route))
        assert reply.status_code == 403


@of_class("mailbox", "mailbox_settings", "conversation", "handling")
async def test_who_has_no_access_gets_404(objects: Objects, route: Route) -> None:
    """The same as for what does not exist: not even that it is there can be learned."""
    api = objects.api
    callers = [api.mallory] if route.access_class == "mailbox_settings" else [api.mallory, api.tom]
    missing = Objects(api, dict.fromkeys(objects.ids, 999_999))
    for caller in callers:
        replies = [
            await caller.request(route.method, route.filled(each), params=query_of(route))
            for each in (objects, missing)
        ]
        assert [reply.status_code for reply in replies] == [404, 404]
        assert replies[0].content == replies[1].content


@pytest.mark.parametrize(("name", "parameter"), sorted(FETCHES))
async def test_what_is_refused_is_really_there(objects: Objects, name: str, parameter: str) -> None:
    """Ana's own way to each object is open, so that the 404 of the others is worth something."""
    api, wanted = objects.api, objects.ids[parameter]
    fetch: Any = FETCHES[name, parameter]  # pyright: ignore[reportArgumentType]
    await fetch(Asker(api.ana.user_id, "owner"), wanted)
    with pytest.raises(NotFound):
        await fetch(Asker(api.mallory.user_id, "member"), wanted)


@pytest.mark.parametrize("route", [r for r in ROUTES if r.method == "GET"], ids=str)
async def test_who_has_access_reads(objects: Objects, route: Route) -> None:
    reply = await objects.api.ana.request("GET", route.filled(objects), params=query_of(route))
    if route.path.endswith(("/remote", "/account", "/account/plan", "/oauth/callback")):
        # Wants a signature that only a message's page holds; an account's settings come with the account; the callback
        # leads on to a page.
        assert reply.status_code != 401
    else:
        assert reply.status_code == 200, reply.text


# -- lists ---------------------------------------------------------------------------------------------------------

LISTS = [r for r in ROUTES if r.method == "GET" and not r.parameters and r.access_class in ("signed_in", "admin")]

TELL = {
    "/mailboxes",
    "/search",
    "/my-work",
    "/filtered",
    "/drafts",
    "/outbox",
    "/notifications",
    "/contacts",
    "/addresses",
    "/snapshot",
    "/conversation-links",
}
"""Lists that tell Ana of the conversation or the mailbox: were they empty for her, the test would prove nothing."""


@pytest.mark.parametrize("route", LISTS, ids=str)
async def test_lists_give_nothing_of_what_one_cannot_open(objects: Objects, route: Route) -> None:
    query = query_of(route)
    told = (await objects.api.ana.request("GET", route.path, params=query)).text.lower()
    if route.path in TELL:
        assert MAIL.lower() in told or NAME.lower() in told
    for caller in (objects.api.mallory, objects.api.tom):
        reply = await caller.request("GET", route.path, params=query)
        if route.access_class == "admin" and caller is objects.api.mallory:
            continue
        assert reply.status_code == 200
        assert MAIL.lower() not in reply.text.lower()
        if route.access_class != "admin":
            assert NAME.lower() not in reply.text.lower()


async def test_the_numbers_of_others_are_not_counted(objects: Objects) -> None:
    counts = await objects.api.mallory.get("/counts")
    assert counts == {
        "mine": 0,
        "mentions": 0,
        "reminders": 0,
        "drafts": 0,
        "outbox": 0,
        "notifications": 0,
        "mailboxes": [],
        "shared": 0,
        "shared_unread": 0,
    }


# -- ids in a body -------------------------------------------------------------------------------------------------

NAMED = {
    "mailbox_id",
    "conversation_id",
    "message_id",
    "draft_id",
    "outgoing_id",
    "contact_id",
    "other_id",
    "answers_id",
}
"""Fields of a request that name something which not everybody may know of."""

BODIES: dict[str, list[dict[str, Any]]] = {
    "POST /drafts": [
        {"kind": "new", "mailbox_id": "mailbox_id"},
        {"kind": "reply", "conversation_id": "conversation_id"},
        {"kind": "forward", "conversation_id": "conversation_id", "message_id": "message_id"},
        {"kind": "forward", "message_id": "message_id"},
    ],
    "POST /templates/{template_id:int}/use": [{"mailbox_id": "mailbox_id"}, {"conversation_id": "conversation_id"}],
    "POST /templates/{template_id:int}/preview": [{"mailbox_id": "mailbox_id"}, {"conversation_id": "conversation_id"}],
    "POST /rendered-text": [{"mailbox_id": "mailbox_id"}, {"conversation_id": "conversation_id"}],
    "POST /notifications/read": [{"conversation_id": "conversation_id"}],
    "POST /contacts/{contact_id:int}/merge": [{"other_id": "contact_id"}],
    "POST /drafts/{draft_id:int}/attachments-from-mail": [{"message_id": "message_id", "position": 0}],
    "PUT /drafts/{draft_id:int}/sender": [{"sender": {}, "mailbox_id": "mailbox_id"}],
    "PUT /conversations/{conversation_id:int}/mailbox": [{"mailbox_id": "mailbox_id"}],
    "POST /conversations/{conversation_id:int}/split": [{"message_id": "message_id"}],
}
"""Requests by Mallory, with the name of the object for the id; `contact_id` in the path is one of her own."""


def named_in_body(route: Route) -> set[str]:
    content = operation_of(route).get("requestBody", {}).get("content", {})
    names: set[str] = set()
    for media in content.values():
        schema = media.get("schema", {})
        for reference in [schema, *schema.get("oneOf", [])]:
            key = reference.get("$ref", "").rpartition("/")[2]
            names |= set(SCHEMA["components"]["schemas"].get(key, {}).get("properties", {}))
    return names & NAMED


WITH_IDS = [r for r in ROUTES if r.method != "GET" and r.access_class != "admin" and named_in_body(r)]


@pytest.mark.parametrize("route", WITH_IDS, ids=str)
async def test_an_id_in_a_body_opens_nothing_either(objects: Objects, route: Route) -> None:
    if str(route) not in BODIES:
        pytest.fail(f"{route} takes {named_in_body(route)} in its body: say in BODIES what Mallory may try.")
    mallory = objects.api.mallory
    own = await mallory.post("/contacts", {"name": "Own", "addresses": []})
    path = route.path.replace("{contact_id:int}", str(own["id"]))
    for name in ("conversation_id", "template_id", "draft_id"):
        path = path.replace(f"{{{name}:int}}", str(objects.ids[name]))
    before = await fetch_value("SELECT count(*) FROM drafts")
    for body in BODIES[str(route)]:
        filled = {
            name: objects.ids.get(value, value) if isinstance(value, str) else value for name, value in body.items()
        }
        refusal = await mallory.refused(route.method, path, filled)
        assert refusal.status in (404, 422)
        assert MAIL not in msgspec.json.encode(refusal).decode()
    assert await fetch_value("SELECT count(*) FROM drafts") == before


async def test_nothing_of_all_this_changed_anything(objects: Objects) -> None:
    """Runs last: the conversation is as it was made."""
    row = await fetch_row("SELECT * FROM conversations WHERE id = $1", objects.ids["conversation_id"])
    assert row is not None
    assert (row["status"], row["assignee_id"], row["comment_count"]) == ("open", objects.api.ana.user_id, 1)
    assert await fetch_value("SELECT name FROM mailboxes WHERE id = $1", objects.api.support) == NAME
