"""Small messages for these tests."""


def mail(subject: str, body: str = "Hello", message_id: str | None = None) -> bytes:
    """A small message with CRLF line ends."""
    identity = f"Message-ID: <{message_id}>\r\n" if message_id else ""
    return (
        f"From: Customer <customer@example.org>\r\nTo: Team <team@example.org>\r\nSubject: {subject}\r\n"
        f"{identity}\r\n{body}\r\n"
    ).encode()
