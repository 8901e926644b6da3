"""An HTML part in which nothing can be seen does not hide the text beside it."""

import pytest

from backend.conversations.contracts import ConversationDetail
from backend.mail.contracts import MessageBody
from tests.servers.api import Api
from tests.servers.delivery import deliver

BLANK = [
    "",
    "\n\n",
    "<html><head><title>DSN</title></head><body>\n</body></html>",
    "<style>p { color: red }</style><div dir=ltr><br></div>",
    "<p>&nbsp;</p><script>document.write('seen')</script>",
]
SEEN = ["<p>seen</p>", "<img src='https://pictures.example/a.png'>", "<div><hr></div>", "<blockquote>seen</blockquote>"]


async def body_of(api: Api, html: str) -> MessageBody:
    raw = (
        "From: carla@customer.example\r\nSubject: x\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nWhat Carla wrote.\r\n"
        f"--b\r\nContent-Type: text/html\r\n\r\n{html}\r\n--b--\r\n"
    ).encode()
    detail = await api.ana.get(f"/conversations/{await deliver(api.support, raw)}", ConversationDetail)
    return detail.bodies[0]


@pytest.mark.parametrize("html", BLANK)
async def test_the_text_is_shown_instead(api: Api, html: str) -> None:
    body = await body_of(api, html)
    assert (body.text, body.html_url) == ("What Carla wrote.", None)


@pytest.mark.parametrize("html", SEEN)
async def test_whatever_can_be_seen_is_shown(api: Api, html: str) -> None:
    assert (await body_of(api, html)).html_url is not None
