"""What a stranger sent, as the browser gets it: nothing in it runs, nothing guesses its type, names break no header."""

import pytest

from backend.conversations.contracts import ConversationDetail
from tests.servers.api import Api
from tests.servers.delivery import deliver

SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


def hostile() -> bytes:
    """A mail with HTML, a script as a picture, a page as a file, and a name that reaches for the headers."""
    parts = (
        ("text/html; charset=utf-8", "", b"<p>Hello</p><img src='cid:a'><img src='cid:b'><script>alert(1)</script>"),
        ("image/svg+xml", "Content-ID: <a>\r\n", SVG),
        ("image/png", "Content-ID: <b>\r\n", SVG),
        ("text/html", 'Content-Disposition: attachment; filename="a\\"; x=\\"\xc3\xa4.html"\r\n', b"<script></script>"),
        ("text/html", "Content-Disposition: attachment; filename*=utf-8''a%0D%0ASet-Cookie%3A%20x%3Dy\r\n", b"x"),
    )
    body = b"".join(
        f"--b\r\nContent-Type: {kind}\r\n{head}\r\n".encode("latin-1") + content + b"\r\n"
        for kind, head, content in parts
    )
    head = (
        "From: Eve <eve@evil.example>\r\nTo: support@northwind.example\r\nSubject: Hostile\r\n"
        "Message-ID: <hostile@evil.example>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    )
    return head.encode() + body + b"--b--\r\n"


@pytest.mark.parametrize("way", ["html", "raw", "inline/0", "inline/1", "attachments/2", "attachments/3"])
async def test_nothing_of_a_hostile_mail_can_run(api: Api, way: str) -> None:
    detail = await api.ana.get(f"/conversations/{await deliver(api.support, hostile())}", ConversationDetail)
    message = detail.messages[0]
    assert len(message.attachments) == 4
    reply = await api.ana.request("GET", f"/messages/{message.id}/{way}")
    assert reply.status_code == 200
    assert reply.headers["x-content-type-options"] == "nosniff"
    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "sandbox" in policy and "allow-scripts" not in policy
    kind = reply.headers["content-type"].partition(";")[0]
    if way == "html":
        assert kind == "text/html"
        assert "script" not in reply.text.replace("script-src 'none'", "")
    elif way == "inline/1":
        assert kind == "image/png"
    elif way == "raw":
        assert kind == "text/plain"
    else:  # also an SVG that the page names as a picture
        assert kind == "application/octet-stream"
        assert reply.headers["content-disposition"].startswith("attachment")
    assert "set-cookie" not in reply.headers


@pytest.mark.parametrize("way", ["html", "inline/1"])
async def test_what_a_browser_keeps_is_not_shown_to_the_next_person_there(api: Api, way: str) -> None:
    detail = await api.ana.get(f"/conversations/{await deliver(api.support, hostile())}", ConversationDetail)
    reply = await api.ana.request("GET", f"/messages/{detail.messages[0].id}/{way}")
    assert "private" in reply.headers["cache-control"]
    assert reply.headers["vary"] == "cookie"
