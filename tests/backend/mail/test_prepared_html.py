"""A body is sanitised once, however many ask for it at once, and what is kept of bodies is bounded."""

import asyncio
import hashlib

import pytest

from backend.conversations.contracts import ConversationDetail
from backend.mail import html
from backend.mail.html import prepare_html
from tests.servers.api import Api
from tests.servers.delivery import deliver


async def delivered(api: Api, body: str) -> tuple[str, int]:
    """A mail with this HTML; answers the hash of its bytes and its id."""
    raw = f"From: carla@customer.example\r\nSubject: x\r\nContent-Type: text/html\r\n\r\n{body}\r\n".encode()
    detail = await api.ana.get(f"/conversations/{await deliver(api.support, raw)}", ConversationDetail)
    return hashlib.sha256(raw).hexdigest(), detail.messages[0].id


async def test_those_who_ask_at_once_wait_for_the_same_work(api: Api) -> None:
    digest, message_id = await delivered(api, "<p>word</p>" * 20_000)
    html._prepared.clear()
    answers = await asyncio.gather(*(prepare_html(digest, message_id, show_remote=False) for _ in range(5)))
    assert all(answer is answers[0] for answer in answers)
    assert await prepare_html(digest, message_id, show_remote=False) is answers[0]


async def test_one_who_goes_away_takes_nothing_from_the_others(api: Api) -> None:
    digest, message_id = await delivered(api, "<p>word</p>" * 200_000)
    html._prepared.clear()
    impatient = asyncio.create_task(prepare_html(digest, message_id, show_remote=False))
    patient = asyncio.create_task(prepare_html(digest, message_id, show_remote=False))
    await asyncio.wait({impatient, patient}, timeout=0.1)
    assert len(html._preparing) == 1
    impatient.cancel()
    assert "word" in (await patient).visible
    assert impatient.cancelled() and not html._preparing


async def test_the_oldest_give_way(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "KEPT_CHARACTERS", 50_000)
    html._prepared.clear()
    for number in range(5):
        await prepare_html(*await delivered(api, f"<p>{number} word</p>" * 1_000), show_remote=False)
        assert html._prepared
        assert sum(map(html._size, html._prepared.values())) <= 50_000
