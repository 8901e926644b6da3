"""Remote pictures of a mail: fetched for somebody who asked, from the public internet alone, and as they are."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from backend.errors import NotFound, Unavailable
from backend.mail.pictures import Picture, fetch_picture, proxy_address
from tests.servers.api import environment

PNG = bytes.fromhex("89504e470d0a1a0a")


@pytest.fixture
def careful(tmp_path: Path) -> Iterator[None]:
    """Settings as they come: private servers are not asked."""
    with environment(tmp_path):
        yield


@pytest.fixture
def trusting(tmp_path: Path) -> Iterator[None]:
    """Settings that allow private servers, so that a server of this machine can be asked."""
    with environment(tmp_path, TANDEM_ALLOW_PRIVATE_SERVERS="yes"):
        yield


async def fetched(address: str) -> Picture:
    """The picture at `address`, asked for as the page of message 1 does."""
    query = parse_qs(urlsplit(proxy_address(1, address)).query)
    return await fetch_picture(1, query["url"][0], query["sig"][0])


@asynccontextmanager
async def website(*head: str, body: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that answers everything alike: its address, and the requests that it got."""
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", "Connection: close", *head, "", ""]
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/a.png", asked


@pytest.mark.usefixtures("trusting")
async def test_a_picture_comes_as_it_is_and_tells_nobody_who_looks() -> None:
    async with website("Content-Type: image/png", "Set-Cookie: who=you", body=PNG) as (address, asked):
        assert await fetched(address) == Picture("image/png", PNG)
    said = asked[0].decode().lower()
    assert "cookie" not in said and "referer" not in said
    assert "accept-encoding: identity" in said


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("kind", ["image/svg+xml", "text/html", "image/png, text/html"])
async def test_what_is_no_raster_picture_does_not_come_through(kind: str) -> None:
    async with website(f"Content-Type: {kind}", body=PNG) as (address, _):
        with pytest.raises(Unavailable):
            await fetched(address)


@pytest.mark.usefixtures("trusting")
async def test_what_would_have_to_be_unpacked_is_refused() -> None:
    packed = gzip.compress(PNG)
    async with website("Content-Type: image/png", "Content-Encoding: gzip", body=packed) as (address, _):
        with pytest.raises(Unavailable):
            await fetched(address)


@pytest.mark.usefixtures("careful")
async def test_a_server_of_this_machine_is_not_asked() -> None:
    async with website("Content-Type: image/png", body=PNG) as (address, asked):
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"):
            with pytest.raises(Unavailable):
                await fetched(address.replace("127.0.0.1", host))
    assert asked == []


@pytest.mark.usefixtures("careful")
@pytest.mark.parametrize("address", ["http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://[fec0::1]/"])
async def test_an_address_that_wraps_a_private_one_is_not_asked(address: str) -> None:
    with pytest.raises(Unavailable) as caught:
        await fetched(address)
    assert str(caught.value.__cause__) == "not a public server"


@pytest.mark.usefixtures("careful")
async def test_only_what_the_mail_holds_is_fetched() -> None:
    query = parse_qs(urlsplit(proxy_address(1, "http://pictures.example/a.png")).query)
    for message_id, address in ((2, query["url"][0]), (1, "http://pictures.example/b.png")):
        with pytest.raises(NotFound):
            await fetch_picture(message_id, address, query["sig"][0])
