"""Remote pictures of a mail, fetched on behalf of a person who asked to see them.

The address is signed with the installation's key, so that this is no proxy for anything else; it must lead to a
public server (unless settings allow private ones), also after a redirection; and only raster pictures come through.
"""

import asyncio
import hashlib
import hmac
import socket
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

import httpx

from backend.errors import NotFound, Unavailable
from backend.secret_key import secret_key
from backend.settings import settings
from sync.dial import is_public

LARGEST_PICTURE = 10 * 1024 * 1024
MOST_REDIRECTIONS = 3
SECONDS = 10.0
KINDS = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp", "image/x-icon"})


@dataclass(frozen=True, slots=True)
class Picture:
    content_type: str
    content: bytes


def proxy_address(message_id: int, address: str) -> str:
    """Our own address for a remote picture of a message."""
    return f"/api/v1/messages/{message_id}/remote?url={quote(address, safe='')}&sig={_signature(message_id, address)}"


def _signature(message_id: int, address: str) -> str:
    text = f"picture\0{message_id}\0{address}".encode()
    return hmac.new(secret_key(settings()), text, hashlib.sha256).hexdigest()[:32]


async def fetch_picture(message_id: int, address: str, signature: str) -> Picture:
    """The picture. Raises NotFound for an address that the mail does not hold, Unavailable for one that fails."""
    if not hmac.compare_digest(signature, _signature(message_id, address)):
        raise NotFound("This picture is not part of the message.")
    if not settings().network:
        raise Unavailable("This installation fetches nothing from the network.", "Ask your admin (TANDEM_NETWORK).")
    try:
        async with asyncio.timeout(SECONDS):
            async with httpx.AsyncClient(follow_redirects=False, timeout=SECONDS, trust_env=False) as client:
                return await _follow(client, address)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError, ValueError) as fault:
        raise Unavailable("The picture could not be fetched.", "Its server did not answer as it should.") from fault


async def _follow(client: httpx.AsyncClient, address: str) -> Picture:
    for _ in range(MOST_REDIRECTIONS + 1):
        async with client.stream(
            "GET", await _pinned(address), headers=_headers(address), extensions=_sni(address)
        ) as answer:
            if answer.is_redirect:
                address = urljoin(address, answer.headers.get("location", ""))
                continue
            kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
            # Compressed against our wish, a few bytes could unfold to gigabytes.
            if answer.status_code != 200 or kind not in KINDS or "content-encoding" in answer.headers:
                raise ValueError("no picture")
            content = bytearray()
            async for part in answer.aiter_raw():
                content += part
                if len(content) > LARGEST_PICTURE:
                    raise ValueError("too large")
            return Picture(kind, bytes(content))
    raise ValueError("too many redirections")


async def _pinned(address: str) -> str:
    """The address with its name resolved and looked at, so that what was checked is what is connected to."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise ValueError("not an address of the web")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = await asyncio.get_running_loop().getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    host = str(found[0][4][0])
    if not settings().allow_private_servers and not is_public(host):
        raise ValueError("not a public server")
    shown = f"[{host}]" if ":" in host else host
    return parts._replace(netloc=f"{shown}:{port}", fragment="").geturl()


def _headers(address: str) -> dict[str, str]:
    parts = urlsplit(address)
    return {"host": parts.netloc, "user-agent": "Tandem", "accept": "image/*", "accept-encoding": "identity"}


def _sni(address: str) -> dict[str, str]:
    return {"sni_hostname": urlsplit(address).hostname or ""}
