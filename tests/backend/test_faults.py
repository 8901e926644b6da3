"""What cannot be meant is refused, and what fails is told without quoting anybody."""

import logging
from typing import Any

import pytest
from litestar import Request

from backend.app import unexpected_error
from backend.cli import DiscreetFormatter
from tests.servers.api import Api

BEYOND = 2**63
MAIL = "Xylophonquark"


async def test_an_id_beyond_64_bits_is_no_fault_of_ours(api: Api) -> None:
    for path in (
        "/conversations/{}",
        "/messages/{}",
        "/mailboxes/{}",
        "/drafts/{}",
        "/contacts/{}",
        "/audit?cursor={}",
    ):
        assert (await api.ana.refused("GET", path.format(BEYOND))).status == 422
    for path, body in (("/drafts", {"kind": "new", "mailbox_id": BEYOND}), ("/notifications/read", {"ids": [BEYOND]})):
        assert (await api.ana.refused("POST", path, body)).status == 422


async def test_a_nul_from_nobody_is_no_fault_of_ours(api: Api) -> None:
    body = {"email": "a\0@customer.example", "password": "a long enough sentence"}
    assert (await api.stranger().refused("POST", "/sign-in", body)).status == 422


def test_the_log_tells_where_it_failed_and_quotes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fail(mail: str) -> None:
        raise ValueError(f"Failing row contains (7, {mail}).")

    scope: Any = {"type": "http", "method": "GET", "path": "/api/v1/me", "headers": []}
    request: Request[Any, Any, Any] = Request(scope)
    with caplog.at_level(logging.ERROR), pytest.raises(ValueError) as caught:
        fail(MAIL)
    unexpected_error(request, caught.value)
    assert "ValueError" in caplog.text and "in fail" in caplog.text
    assert MAIL not in caplog.text


def test_no_log_line_of_any_process_quotes_a_fault() -> None:
    def fail(mail: str) -> None:
        try:
            raise ValueError(f"Failing row contains (7, {mail}).")
        except ValueError as fault:
            raise RuntimeError(f"{mail} could not be stored") from fault

    with pytest.raises(RuntimeError) as caught:
        fail(MAIL)
    exception = (caught.type, caught.value, caught.tb)
    record = logging.LogRecord("tandem", logging.ERROR, "", 0, "It failed", None, exception)
    told = DiscreetFormatter("%(message)s").format(record)
    assert told.startswith("It failed\n") and "in fail" in told
    assert "RuntimeError" in told and "ValueError" in told
    assert MAIL not in told
