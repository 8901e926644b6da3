"""`tandem demo` as a whole: it comes up, lives, answers, goes away without a trace, and comes back quickly."""

import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec
import psutil
import pytest

from backend.compose.contracts import CreateDraft, Draft, Outgoing, SaveDraft, SendDraft
from backend.conversations.contracts import ConversationDetail, ConversationPage, ConversationRow
from backend.demo.corpus import corpus
from backend.demo.documents import PAPERS
from backend.demo.people import MAILBOXES, PASSWORD, PEOPLE, SIMULATED, members_of
from backend.demo.stationery import FROM_THE_LIBRARY, LINKS, PASSAGES
from backend.demo.teammates import is_row_of
from backend.demo.waiting import MAILS
from backend.documents.contracts import Document
from backend.links.contracts import SavedLink
from backend.mailboxes.contracts import Mailbox
from backend.people.contracts import CreateToken, SignIn, TokenCreated
from backend.people.contracts import Person as TandemPerson
from backend.templates.contracts import Signature, Template
from tests.servers.ports import free_port, free_ports
from tests.servers.tandem import PROJECT, command, environment

Answer = TypeVar("Answer")
pytestmark = pytest.mark.timeout(400)


@dataclass
class Demo:
    """A running `tandem demo` and a person who uses its API."""

    process: subprocess.Popen[str]
    data: Path
    port: int
    said: list[str] = field(default_factory=list)
    welcomed: threading.Event = field(default_factory=threading.Event)
    family: set[psutil.Process] = field(default_factory=set)

    def listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            if line.startswith("    user support@"):
                self.welcomed.set()

    def look(self) -> None:
        supervisor = psutil.Process(self.process.pid)
        self.family |= {supervisor, *supervisor.children(recursive=True)}

    def sign_in(self, key: str) -> httpx.Client:
        base = f"http://127.0.0.1:{self.port}/api/v1"
        with httpx.Client(base_url=base, trust_env=False) as visitor:
            visitor.get("/health").raise_for_status()
            headers = {"x-csrf-token": visitor.cookies["tandem_csrf"]}
            body = msgspec.json.encode(SignIn(email=PEOPLE[key].address, password=PASSWORD))
            visitor.post("/sign-in", content=body, headers=headers).raise_for_status()
            body = msgspec.json.encode(CreateToken(name="test"))
            made = visitor.post("/me/tokens", content=body, headers=headers).raise_for_status()
        secret = msgspec.json.decode(made.content, type=TokenCreated).secret
        return httpx.Client(base_url=base, headers={"authorization": f"Bearer {secret}"}, timeout=30, trust_env=False)


def start(data: Path, port: int, imap_port: int = 0, smtp_port: int = 0) -> Demo:
    settings = {"TANDEM_PORT": str(port), "TANDEM_DEMO_PACE": "1"}
    settings |= {"TANDEM_DEMO_IMAP_PORT": str(imap_port), "TANDEM_DEMO_SMTP_PORT": str(smtp_port)}
    process = subprocess.Popen(
        command("demo"), env=environment(data, **settings), cwd=PROJECT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    demo = Demo(process, data, port)
    threading.Thread(target=demo.listen, daemon=True).start()
    return demo


def stop(demo: Demo, how: signal.Signals = signal.SIGTERM) -> None:
    if demo.process.poll() is None:
        demo.look()
        demo.process.send_signal(how)
        demo.process.wait(30)
    until(lambda: not any(lives(process) for process in demo.family), "a process was left behind")


def lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def until(condition: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.25)
    return value


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    running = start(tmp_path_factory.mktemp("data"), free_port())
    try:
        assert running.welcomed.wait(150), "".join(running.said)
        running.look()
        yield running
    finally:
        stop(running)


@pytest.fixture(scope="module")
def ana(demo: Demo) -> Iterator[httpx.Client]:
    with demo.sign_in("ana") as client:
        yield client


def get(client: httpx.Client, path: str, answer: type[Answer], **query: str | int | None) -> Answer:
    given = {name: value for name, value in query.items() if value is not None}
    return msgspec.json.decode(client.get(path, params=given).raise_for_status().content, type=answer)


def mailboxes(client: httpx.Client) -> dict[str, int]:
    return {one.address.partition("@")[0]: one.id for one in get(client, "/mailboxes", list[Mailbox])}


def rows(client: httpx.Client, mailbox: str) -> list[ConversationRow]:
    path, listed, cursor = f"/mailboxes/{mailboxes(client)[mailbox]}/conversations", [], None
    while True:
        page = get(client, path, ConversationPage, view="all", limit=100, cursor=cursor)
        listed += [item.row for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return listed


def talked(demo: Demo) -> bool:
    path = demo.data / "demo" / "northwind" / "talk.json"
    return path.exists() and json.loads(path.read_text()).get("talk applied") is True


def test_it_says_where_and_who(demo: Demo) -> None:
    said = "".join(demo.said)
    assert said.count("http://") == 1 and f"http://127.0.0.1:{demo.port}/" in said
    for person in PEOPLE.values():
        assert person.address in said
    assert PASSWORD in said and "IMAP 127.0.0.1:" in said and "SMTP 127.0.0.1:" in said


def test_everybody_opens_what_is_theirs(demo: Demo) -> None:
    for key in PEOPLE:
        with demo.sign_in(key) as client:
            assert set(mailboxes(client)) == {m.key for m in MAILBOXES.values() if key in members_of(m)}


def test_there_is_something_to_write_with(ana: httpx.Client) -> None:
    wanted = len(FROM_THE_LIBRARY) + len(PASSAGES)
    assert (
        len(until(lambda: (t := get(ana, "/templates", list[Template])) and len(t) >= wanted and t, "none")) == wanted
    )
    until(lambda: get(ana, "/me/signature", Signature).html, "Ana has no signature")


def test_there_is_something_to_send_along(ana: httpx.Client) -> None:
    open_to_all = {paper.name: len(paper.versions) for paper in PAPERS if not paper.team}
    documents = until(
        lambda: (d := get(ana, "/documents", list[Document])) and len(d) >= len(open_to_all) and d, "none"
    )
    assert {each.name: len(each.versions) for each in documents} == open_to_all
    assert {each.name for each in get(ana, "/links", list[SavedLink])} == {link.name for link in LINKS}


def test_the_outbox_shows_what_waits_and_what_was_refused(ana: httpx.Client) -> None:
    def refused() -> list[Outgoing] | None:
        mails = get(ana, "/outbox", list[Outgoing])
        return mails if any(each.state == "failed" for each in mails) else None

    states = {each.subject: each.state for each in until(refused, "nothing was refused", 110)}
    assert states == {mail.subject: "scheduled" if mail.when == "monday" else "failed" for mail in MAILS if mail.sent}
    assert [each.subject for each in get(ana, "/drafts", list[Draft])] == [
        mail.subject for mail in MAILS if mail.by == "ana"
    ]


def test_a_customer_accepts_the_meeting_and_opens_what_it_links_to(ana: httpx.Client) -> None:
    def answered() -> ConversationDetail | None:
        found = [row for row in rows(ana, "sales") if row.subject == "Service contract for eight bikes"]
        detail = get(ana, f"/conversations/{found[0].id}", ConversationDetail) if found else None
        return detail if detail and detail.meetings and detail.meetings[0].attendees[0].answer == "accepted" else None

    detail = until(answered, "nobody accepted", 110)
    assert [each.views for each in detail.shared_files] == [1]


def test_the_history_came_in_with_its_talk(demo: Demo, ana: httpx.Client) -> None:
    until(lambda: talked(demo), "the talk was not applied", 110)
    people = {one.email: one.id for one in get(ana, "/people", list[TandemPerson])}
    for mailbox in MAILBOXES.values():
        listed = rows(ana, mailbox.key)
        expected = [each for each in corpus() if each.mailbox == mailbox.key and not each.live]
        found = [(each, row) for each in expected for row in listed if is_row_of(row, each)]
        assert len(found) >= 0.97 * len(expected)
        for conversation, row in found[:40]:
            said = [each for each in conversation.comments if each.by in members_of(mailbox)]
            assert row.comment_count >= len(said), conversation.id
            if conversation.status == "done":
                assert row.status == "done", conversation.id
            if conversation.assignee in members_of(mailbox) and conversation.assignee:
                assert row.assignee_id == people[PEOPLE[conversation.assignee].address], conversation.id


def test_customers_write_and_teammates_take_it(demo: Demo, ana: httpx.Client) -> None:
    first = next(each for each in corpus() if each.id == "support-live-23")
    row = until(lambda: next((r for r in rows(ana, "support") if is_row_of(r, first)), None), "nobody wrote")
    assert row.last_arrival > 0

    def answered() -> ConversationDetail | None:
        detail = get(ana, f"/conversations/{row.id}", ConversationDetail)
        return detail if len(detail.messages) >= 3 else None

    detail = until(answered, "Mei did not answer, or the customer not her", 100)
    assert [message.direction for message in detail.messages[:3]] == ["incoming", "outgoing", "incoming"]
    simulated = {one.id for one in get(ana, "/people", list[TandemPerson]) if one.email.split("@")[0] in SIMULATED}
    assert detail.row.assignee_id in simulated


def test_a_customer_answers_what_ana_sends(ana: httpx.Client) -> None:
    expected = next(each for each in corpus() if each.id == "billing-live-01")
    path = f"/mailboxes/{mailboxes(ana)['billing']}/conversations"
    page = get(ana, path, ConversationPage, view="open")
    row = next(item.row for item in page.items if item.row.last_direction == "incoming")
    assert expected.mailbox == "billing"

    def post(where: str, body: Any, answer: type[Answer], method: str = "POST") -> Answer:
        reply = ana.request(method, where, content=msgspec.json.encode(body)).raise_for_status()
        return msgspec.json.decode(reply.content, type=answer)

    draft = post("/drafts", CreateDraft(kind="reply", conversation_id=row.id), Draft)
    saved = post(
        f"/drafts/{draft.id}",
        SaveDraft(version=draft.version, to=draft.to, cc=[], bcc=[], subject=draft.subject, text="Done this morning."),
        Draft,
        "PUT",
    )
    ana.post(
        f"/drafts/{draft.id}/send", content=msgspec.json.encode(SendDraft(version=saved.version, undo_seconds=0))
    ).raise_for_status()

    def came_back() -> bool:
        detail = get(ana, f"/conversations/{row.id}", ConversationDetail)
        return detail.row.message_count >= row.message_count + 2 and detail.row.last_direction == "incoming"

    until(came_back, "nobody answered Ana")


@pytest.mark.timeout(420)
def test_killed_while_it_moves_in_it_goes_on_and_nothing_is_there_twice(tmp_path: Path) -> None:
    """How long the second start takes is measured by tests/bench/live.py, not here."""
    port, *mail_ports = free_ports(3)
    for seconds in (4.0, 7.0, 10.0):
        interrupted = start(tmp_path, port, *mail_ports)
        time.sleep(seconds)
        stop(interrupted, signal.SIGKILL if seconds < 10 else signal.SIGTERM)
    whole = start(tmp_path, port, *mail_ports)
    try:
        assert whole.welcomed.wait(150), "".join(whole.said)
        with whole.sign_in("ana") as client:
            until(lambda: talked(whole), "the talk was not applied", 110)
            assert len(get(client, "/people", list[TandemPerson])) == len(PEOPLE)
            assert len(mailboxes(client)) == len(MAILBOXES)
            row = next(r for r in rows(client, "support") if r.subject == "Rear light flickers on cobbles")
            assert row.comment_count == 2
    finally:
        stop(whole)
    again = start(tmp_path, port, *mail_ports)
    try:
        assert again.welcomed.wait(60), "".join(again.said)
        with again.sign_in("ana") as client:
            row = next(r for r in rows(client, "support") if r.subject == "Rear light flickers on cobbles")
            assert row.comment_count == 2
    finally:
        stop(again)
