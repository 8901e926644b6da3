"""Who vouches for a mail's writer: the server that took it in, and nobody else."""

import pytest

from sync.mime.authentication import vouched
from sync.mime.parse import parse_message

OURS = "support@northwind.example"
SERVER = "Authentication-Results: mx.northwind.example;"


def said(*headers: str, address: str = OURS) -> bool | None:
    raw = "\r\n".join([*headers, f"From: {OURS}", "", "Hello"]).encode()
    return vouched(parse_message(raw).headers, address)


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ("dmarc=pass (p=REJECT sp=NONE) header.from=northwind.example", True),
        ("dmarc=fail (p=NONE) header.from=northwind.example; dkim=pass header.d=northwind.example", False),
        ("spf=pass smtp.mailfrom=bad.example; dmarc=fail header.from=northwind.example", False),
        ("dkim=pass header.d=northwind.example", True),
        ("dkim=pass header.i=@mail.northwind.example; spf=fail smtp.mailfrom=list.example", True),
        ("dkim=pass header.d=bad.example header.i=@bad.example", False),
        ("dkim=fail header.d=northwind.example", False),
        ("spf=pass (sender is allowed) smtp.mailfrom=support@northwind.example", True),
        ("spf=pass smtp.mailfrom=somebody@bad.example", False),
        ("spf=pass smtp.mailfrom=notnorthwind.example", False),
        ("spf=softfail smtp.mailfrom=northwind.example", False),
        ("dkim=none; spf=none smtp.mailfrom=bad.example; dmarc=none", False),
        ("dkim=none; spf=none smtp.mailfrom=northwind.example; dmarc=none", None),
        ("auth=pass (PLAIN) smtp.auth=ana@northwind.example", True),
        ("auth=pass (PLAIN) smtp.auth=mallory@bad.example; spf=fail smtp.mailfrom=northwind.example", False),
        ("none", None),
        ("iprev=pass policy.iprev=192.0.2.1", None),
        ('dkim=pass (2048-bit key (a "note; dmarc=fail")) header.d="northwind.example"', True),
    ],
)
def test_what_a_server_says(results: str, expected: bool | None) -> None:
    assert said(f"{SERVER} {results}") is expected


def test_where_a_server_says_nothing_nothing_is_known() -> None:
    assert said() is None


def test_what_came_with_the_mail_is_not_believed() -> None:
    forged = f"{SERVER} dkim=pass header.d=northwind.example"
    received = "Received: from bad.example by mx.northwind.example; Mon, 30 Nov 2026 10:00:00 +0000"
    assert said(f"{SERVER} spf=fail smtp.mailfrom=bad.example", received, forged) is False
    assert said(f"{SERVER} spf=fail smtp.mailfrom=bad.example", forged.replace("mx.", "mx2.")) is False


def test_a_server_may_say_it_in_several_headers() -> None:
    assert said(f"{SERVER} dkim=none", f"{SERVER} spf=pass smtp.mailfrom=northwind.example") is True


def test_a_hostile_header_takes_no_time() -> None:
    assert said(f"{SERVER} {'(' * 20_000}dkim=pass") is None
    assert said(f"{SERVER} {'()' * 20_000}; {'a=b;' * 5_000}") is None
