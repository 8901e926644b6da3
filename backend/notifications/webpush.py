"""Web push: a text that only one browser can read, and the word that it comes from this installation. No network here.

Message encryption is RFC 8291, in the coding aes128gcm of RFC 8188: a key of its own for each message, agreed with the
browser's by Diffie-Hellman, and mixed with a secret that only browser and application know. VAPID is RFC 8292: a
token that is signed with the key under which the browser subscribed, so that nobody else can push to it.
"""

import base64
import binascii
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from backend.secret_key import secret_key
from backend.settings import Settings

CURVE = ec.SECP256R1()
POINT_BYTES, AUTH_BYTES, SALT_BYTES = 65, 16, 16
RECORD_BYTES = 4096
MOST_BYTES = 3000
"""Of a text: a push service has to take a body of 4096 bytes (RFC 8030 section 7.2)."""
TOKEN_SECONDS = 12 * 3600
TTL_SECONDS = 12 * 3600
"""How long a push service keeps it for a browser that is off: half a day later it is no news."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """A browser's subscription: where it is pushed to, and its keys."""

    endpoint: str
    p256dh: bytes
    auth: bytes = field(repr=False)


def application_key(settings: Settings) -> ec.EllipticCurvePrivateKey:
    """The installation's VAPID key: derived from its secret key, and so kept, backed up and restored with that."""
    wide = HKDF(SHA256(), 48, None, b"tandem web push").derive(secret_key(settings))
    # FIPS 186-5 A.2.1: 128 bits more than the order has leave no bias that anybody could use.
    return ec.derive_private_key(int.from_bytes(wide) % (CURVE.group_order - 1) + 1, CURVE)


def public_key(settings: Settings) -> str:
    """What browsers subscribe under (`applicationServerKey`)."""
    return encode(point_of(application_key(settings)))


def encrypt(
    receiver: Receiver, plain: bytes, *, salt: bytes = b"", own: ec.EllipticCurvePrivateKey | None = None
) -> bytes:
    """The body of a push message. Salt and key are made for each; they are given to hold us to the RFC's example.

    Raises ValueError for a receiver whose key is no point of the curve.
    """
    salt, own = salt or secrets.token_bytes(SALT_BYTES), own or ec.generate_private_key(CURVE)
    shared = own.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, receiver.p256dh))
    ours = point_of(own)
    secret = HKDF(SHA256(), 32, receiver.auth, b"WebPush: info\0" + receiver.p256dh + ours).derive(shared)
    key = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(secret)
    nonce = HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(secret)
    sealed = AESGCM(key).encrypt(nonce, plain + b"\x02", None)  # 2 ends the last record
    return salt + RECORD_BYTES.to_bytes(4) + bytes([len(ours)]) + ours + sealed


def headers_for(settings: Settings, receiver: Receiver, topic: str) -> Mapping[str, str]:
    """What a push service is told; of two messages with one topic that wait there, it keeps the later one."""
    key = application_key(settings)
    parts = urlsplit(receiver.endpoint)
    origin, ends = f"{parts.scheme}://{parts.netloc}", int(time.time()) + TOKEN_SECONDS
    claims = {"aud": origin, "exp": ends, "sub": _contact(settings)}
    signed = ".".join(encode(msgspec.json.encode(part)) for part in ({"typ": "JWT", "alg": "ES256"}, claims))
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(SHA256())))
    token = f"{signed}.{encode(r.to_bytes(32) + s.to_bytes(32))}"
    return {
        "authorization": f"vapid t={token}, k={encode(point_of(key))}",
        "content-encoding": "aes128gcm",
        "content-type": "application/octet-stream",
        "ttl": str(TTL_SECONDS),
        "topic": topic,
        "user-agent": "Tandem",
    }


def _contact(settings: Settings) -> str:
    """Whom a push service may turn to: RFC 8292 knows https and mailto."""
    address = settings.public_url
    return address if address.startswith("https://") else f"mailto:postmaster@{urlsplit(address).hostname}"


def point_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public half, uncompressed."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def encode(value: bytes) -> str:
    """base64url without padding, as browsers write keys."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The bytes again. Raises ValueError for what is not base64url."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as fault:
        raise ValueError("not base64url") from fault
