"""A browser maker's push service on a port of this machine, and browsers that subscribe at it.

It takes what RFC 8030 says, checks the application's word for itself (RFC 8292), and keeps what it was given; the
browser whose endpoint it is reads it with its own keys (RFC 8291), which nobody else has.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from backend.notifications.contracts import AddDevice
from backend.notifications.webpush import decode, encode, point_of
from tests.servers.http_server import Handler, HttpServer


@dataclass(frozen=True)
class Pushed:
    """One message: where it came to, and what its headers and body were."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def token(self) -> dict[str, object]:
        """The claims of its VAPID token, whose signature is right. AssertionError otherwise."""
        scheme, _, rest = self.headers["authorization"].partition(" ")
        assert scheme == "vapid"
        parts = dict(part.strip().split("=", 1) for part in rest.split(","))
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decode(parts["k"]))
        signed, _, signature = parts["t"].rpartition(".")
        r, s = decode(signature)[:32], decode(signature)[32:]
        key.verify(
            encode_dss_signature(int.from_bytes(r), int.from_bytes(s)), signed.encode(), ec.ECDSA(SHA256())
        )  # raises InvalidSignature
        head, claims = (json.loads(decode(part)) for part in signed.split("."))
        assert head["alg"] == "ES256"
        return claims | {"key": parts["k"]}


class PushService(HttpServer):
    """`answers` is the status by path; others answer 201. Runs from entering to leaving."""

    def __init__(self) -> None:
        self.pushed: list[Pushed] = []
        self.answers: dict[str, int] = {}
        self._came = threading.Condition()
        super().__init__("push service", self._handler())

    def _handler(self) -> type[Handler]:
        service = self

        class Push(Handler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                with service._came:
                    service.pushed.append(Pushed(self.path, headers, body))
                    service._came.notify_all()
                self.answer(service.answers.get(self.path, 201), "text/plain", b"")

        return Push

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def subscribe(self) -> Subscriber:
        """A browser that lets itself be pushed to."""
        return Subscriber(f"{self.origin}/push/{secrets.token_hex(8)}")

    def wait_for(self, count: int, seconds: float = 20) -> list[Pushed]:
        """All messages, as soon as there are so many."""
        with self._came:
            ends = time.monotonic() + seconds
            assert self._came.wait_for(lambda: len(self.pushed) >= count, ends - time.monotonic()), self.pushed
            return list(self.pushed)


@dataclass
class Subscriber:
    """A browser's subscription: only it has the private key."""

    endpoint: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = field(default_factory=lambda: secrets.token_bytes(16))

    def wanted(self, name: str = "Firefox on Linux") -> AddDevice:
        return AddDevice(endpoint=self.endpoint, p256dh=encode(point_of(self.key)), auth=encode(self.auth), name=name)

    def read(self, body: bytes) -> bytes:
        """Decrypt as RFC 8291 section 3.4 and RFC 8188 say. Raises InvalidTag for what was not meant for it."""
        salt, size, length = body[:16], int.from_bytes(body[16:20]), body[20]
        theirs, sealed = body[21 : 21 + length], body[21 + length :]
        assert len(sealed) <= size, "one record"
        shared = self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs))
        info = b"WebPush: info\x00" + point_of(self.key) + theirs
        secret = HKDF(SHA256(), 32, self.auth, info).derive(shared)
        key = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\x00").derive(secret)
        nonce = HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\x00").derive(secret)
        plain = AESGCM(key).decrypt(nonce, sealed, None).rstrip(b"\x00")
        assert plain[-1:] == b"\x02", "the last record"
        return plain[:-1]
