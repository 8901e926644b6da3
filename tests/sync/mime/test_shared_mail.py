"""Every message of the shared test data is read, completely and without falling back to "unreadable"."""

import email
import email.policy
import json
from pathlib import Path

import pytest

from sync.mime.message import ParsedMessage
from sync.mime.parse import parse_message
from sync.mime.sanitise import sanitise_html
from tests.shared_data import shared_data

SETS = [
    ("mime-stalwart", "**/*.eml"),
    ("mime-mime4j", "**/*.msg"),
    ("mime-ruby-mail", "**/*.eml"),
    ("mime-flanker", "**/*.eml"),
    ("mime-php-mail-parser", "mails/*"),
    ("bounce-sisimai", "**/*.eml"),
    ("auth-mailauth", "**/*.eml"),
    ("auth-stalwart", "**/*.eml"),
    ("auth-dmarc-reports", "**/*.eml"),
    ("reply-talon", "**/*.eml"),
]

# Of thirdparty: bare CR and NUL, corrupt base64, broken quoted-printable, media counted to the body.
DIFFERENT_BY_CHOICE = {f"thirdparty/{number}.eml" for number in ("000", "002", "003", "005", "015")}


def messages(name: str, pattern: str) -> list[Path]:
    found = [path for path in sorted(shared_data(name).glob(pattern)) if path.is_file()]
    assert found, f"no messages in {name}"
    return found


def assert_clean(message: ParsedMessage) -> None:
    """What PostgreSQL needs: no NUL and nothing that UTF-8 cannot write."""
    people = [*message.to, *message.cc, *message.bcc, *message.reply_to]
    people += [person for person in (message.from_, message.sender) if person]
    texts = [message.subject, message.text or "", message.html or "", message.snippet, message.message_id or ""]
    texts += [*message.in_reply_to, *message.references, message.list_id, *message.list_unsubscribe]
    texts += [text for pair in message.headers for text in pair]
    texts += [text for person in people for text in (person.name, person.address)]
    texts += [
        text for item in message.attachments for text in (item.filename, item.content_type, item.content_id or "")
    ]
    for text in texts:
        assert "\0" not in text
        text.encode("utf-8")
    assert len(message.snippet) <= 200
    assert "\n" not in message.subject + message.snippet
    assert [item.position for item in message.attachments] == list(range(len(message.attachments)))
    assert all(item.filename and "/" not in item.filename for item in message.attachments)
    assert message.date is None or message.date.utcoffset() is not None


@pytest.mark.parametrize(("name", "pattern"), SETS, ids=[name for name, _ in SETS])
def test_every_message_is_read(name: str, pattern: str) -> None:
    for path in messages(name, pattern):
        message = parse_message(path.read_bytes())
        assert not [code for code in message.problems if code.startswith("unreadable-")], path
        assert_clean(message)
        if message.html:
            sanitise_html(message.html, inline_images={}, show_remote=False, proxy_url=None)


@pytest.mark.parametrize(("name", "pattern"), SETS, ids=[name for name, _ in SETS])
def test_the_standard_library_finds_no_body_that_we_lose(name: str, pattern: str) -> None:
    """What the standard library reads as the plain text of a sound message, we read too."""
    for path in messages(name, pattern):
        raw = path.read_bytes()
        reference = email.message_from_bytes(raw, policy=email.policy.default)
        if any(part.defects for part in reference.walk()):
            continue
        part = reference.get_body(("plain",))
        charset = part.get_content_charset("") if part is not None else ""
        if part is None or charset.lower() not in ("us-ascii", "ascii", "utf-8", "iso-8859-1"):
            continue
        if part.get_param("format") == "flowed":
            continue
        try:
            words = part.get_content().split()
        except (LookupError, KeyError, UnicodeError):
            continue
        if any("\ufffd" in word for word in words):
            continue
        mine = parse_message(raw)
        readable = " ".join([mine.text or "", *(item.content.decode("latin-1") for item in mine.attachments)])
        missing = [word for word in words if word.isascii() and "\0" not in word and word not in readable]
        assert not missing, (path, missing[:5])


@pytest.mark.parametrize("kind", ["rfc", "thirdparty"])
def test_subjects_texts_and_attachments_are_those_that_are_expected(kind: str) -> None:
    """Against the expectations of another parser. Where it repairs line ends or broken encodings in its own way,
    or counts attached pictures to the body, we differ by choice.
    """
    compared = 0
    for path in sorted((shared_data("mime-stalwart") / "eml" / kind).glob("*.eml")):
        expected = json.loads(path.with_suffix(".json").read_text("utf-8"))
        message = parse_message(path.read_bytes())
        parts = expected["parts"]
        headers = {item["name"]: item["value"] for item in parts[0]["headers"] if item["name"] == "subject"}
        assert message.subject.split() == _text_of(headers.get("subject")).split(), path
        if f"{kind}/{path.name}" in DIFFERENT_BY_CHOICE:
            continue
        compared += 1
        bodies = [parts[number]["body"] for number in expected["text_body"]]
        text = "\n".join(body["Text"] for body in bodies if "Text" in body)
        if not message.text_derived:
            assert (message.text or "").split() == text.split(), path
        assert len(message.attachments) == len(expected["attachments"]), path
    assert compared >= 9


def _text_of(value: object) -> str:
    return str(value.get("Text") or "") if isinstance(value, dict) else ""
