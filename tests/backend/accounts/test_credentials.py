"""Mail passwords at rest: unreadable without the key, and never the same bytes twice."""

from pathlib import Path

import pytest

from backend.accounts.credentials import Passwords, decrypt, encrypt, open_passwords, seal_passwords
from backend.errors import Unavailable
from backend.settings import Settings, read_settings


def settings_with(folder: Path, key: str) -> Settings:
    return read_settings({"TANDEM_DATA": str(folder), "TANDEM_SECRET_KEY": key * 64})


def test_passwords_come_back_and_stand_nowhere_in_what_is_stored(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, "a")
    passwords = Passwords(imap="geheim-1", smtp="geheim-2")
    sealed = seal_passwords(settings, passwords)
    assert b"geheim" not in sealed
    assert open_passwords(settings, sealed) == passwords
    assert "geheim" not in repr(passwords)


def test_the_same_password_is_stored_differently_each_time(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, "a")
    assert encrypt(settings, b"same") != encrypt(settings, b"same")


def test_with_another_key_it_says_what_to_do(tmp_path: Path) -> None:
    sealed = encrypt(settings_with(tmp_path, "a"), b"text")
    with pytest.raises(Unavailable) as told:
        decrypt(settings_with(tmp_path, "b"), sealed)
    assert "another secret key" in told.value.message and "backup" in told.value.remedy


@pytest.mark.parametrize("place", [0, 5, 20, -1])
def test_a_changed_byte_is_noticed(tmp_path: Path, place: int) -> None:
    settings = settings_with(tmp_path, "a")
    sealed = bytearray(encrypt(settings, b"text of some length"))
    sealed[place] ^= 1
    with pytest.raises(Unavailable):
        decrypt(settings, bytes(sealed))


@pytest.mark.parametrize("broken", [b"", b"\x01", b"\x01" + bytes(12)])
def test_what_is_too_short_is_no_crash(tmp_path: Path, broken: bytes) -> None:
    with pytest.raises(Unavailable):
        decrypt(settings_with(tmp_path, "a"), broken)
