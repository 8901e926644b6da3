"""Mail passwords at rest: AES-256-GCM under a key that is derived from the installation's key outside the database."""

import secrets
from datetime import datetime

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from backend.errors import Unavailable
from backend.secret_key import secret_key
from backend.settings import Settings

VERSION = b"\x01"
NONCE_BYTES = 12


class StoredGrant(msgspec.Struct, frozen=True):
    """Tokens of OAuth 2 (see sync/oauth.py)."""

    access_token: str
    refresh_token: str
    expires_at: datetime
    signed_in_as: str = ""

    def __repr__(self) -> str:
        return "StoredGrant(...)"


class Passwords(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an account signs in with: passwords, or tokens. An empty `smtp` means: the same as for IMAP."""

    imap: str
    smtp: str = ""
    grant: StoredGrant | None = None

    def __repr__(self) -> str:
        return "Passwords(...)"


def encrypt(settings: Settings, plain: bytes) -> bytes:
    """Version, nonce and sealed text. The same text never gives the same bytes twice."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return VERSION + nonce + AESGCM(_key(settings)).encrypt(nonce, plain, VERSION)


def decrypt(settings: Settings, sealed: bytes) -> bytes:
    """The text again. Raises Unavailable when it was sealed under another key, or is damaged."""
    nonce, text = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        if sealed[:1] != VERSION or len(nonce) != NONCE_BYTES:
            raise InvalidTag
        return AESGCM(_key(settings)).decrypt(nonce, text, VERSION)
    except InvalidTag as fault:
        raise Unavailable(
            "The stored mail password cannot be read: it was stored under another secret key.",
            "Put back the key from your backup, or type the password of this account again.",
        ) from fault


def seal_passwords(settings: Settings, passwords: Passwords) -> bytes:
    """What `mail_accounts.credentials` holds."""
    return encrypt(settings, msgspec.json.encode(passwords))


def open_passwords(settings: Settings, sealed: bytes) -> Passwords:
    """The passwords of an account. Raises Unavailable like `decrypt`."""
    return msgspec.json.decode(decrypt(settings, sealed), type=Passwords)


def _key(settings: Settings) -> bytes:
    """A key for this purpose alone, so that nothing else that the installation's key signs can open a password."""
    return HKDF(SHA256(), 32, None, b"tandem mail account credentials").derive(secret_key(settings))
