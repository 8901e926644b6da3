"""The key that encrypts stored mail passwords.

It lies outside the database, so that a copied database opens nothing.
"""

import os
import secrets
import stat
import tempfile
from pathlib import Path

from backend.settings import Settings, SettingsError

KEY_BYTES = 32


def key_file(settings: Settings) -> Path:
    """Where the key is kept when TANDEM_SECRET_KEY does not give it."""
    return settings.data_folder / "secret.key"


def secret_key(settings: Settings) -> bytes:
    """The installation's key of 32 bytes; made and stored with mode 0600 when there is none yet.

    Raises `SettingsError` when the file is damaged or other people of the machine can read it.
    """
    if settings.secret_key is not None:
        return settings.secret_key
    path = key_file(settings)
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        store_key_file(path, secrets.token_bytes(KEY_BYTES))
    return read_key_file(path)


def read_key_file(path: Path) -> bytes:
    """The key in `path`, or `SettingsError` with what to do about it."""
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="ascii")
        key = bytes.fromhex(text)
    except OSError as fault:
        raise SettingsError(f"The key file {path} cannot be read ({fault}). Mend its permissions.") from fault
    except ValueError:
        key, mode = b"", 0
    if len(key) != KEY_BYTES:
        raise SettingsError(
            f"The key file {path} is damaged: it must hold {2 * KEY_BYTES} hexadecimal digits. Put back "
            "the copy from your backup; with another key the stored mail passwords have to be typed again."
        )
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsError(f"The key file {path} can be read by others. Run: chmod 600 '{path}'")
    return key


def store_key_file(path: Path, key: bytes) -> None:
    """Write `key` to `path` durably with mode 0600. A file that is already there is left as it is: of two
    processes that start at once, both use the key of the first."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".secret.")
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(key.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)
        except FileExistsError:
            return
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        os.unlink(temporary)
