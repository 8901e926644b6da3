"""The key of the stored passwords: made once, kept closed, never replaced behind anybody's back."""

import dataclasses
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from backend.secret_key import KEY_BYTES, key_file, secret_key
from backend.settings import Settings, SettingsError, read_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings({"TANDEM_DATA": str(tmp_path / "data")})


def test_it_is_made_once_and_closed_to_others(settings: Settings) -> None:
    key = secret_key(settings)
    assert len(key) == KEY_BYTES
    assert secret_key(settings) == key
    assert stat.S_IMODE(key_file(settings).stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.data_folder.stat().st_mode) == 0o700
    assert [file.name for file in settings.data_folder.iterdir()] == ["secret.key"]


def test_processes_that_start_at_once_agree(settings: Settings) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: secret_key(settings), range(32)))
    assert len(keys) == 1


def test_the_environment_goes_first(settings: Settings) -> None:
    given = dataclasses.replace(settings, secret_key=b"k" * KEY_BYTES)
    assert secret_key(given) == b"k" * KEY_BYTES
    assert not key_file(settings).exists()


@pytest.mark.parametrize("content", ["", "abcd", "not hexadecimal", "ä"])
def test_a_damaged_file_is_refused_not_replaced(settings: Settings, content: str) -> None:
    settings.data_folder.mkdir()
    key_file(settings).write_text(content)
    key_file(settings).chmod(0o600)
    with pytest.raises(SettingsError, match="damaged"):
        secret_key(settings)
    assert key_file(settings).read_text() == content


def test_a_file_open_to_others_is_refused(settings: Settings) -> None:
    secret_key(settings)
    key_file(settings).chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        secret_key(settings)
