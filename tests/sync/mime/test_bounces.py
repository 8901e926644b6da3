"""Reports about sent mail: which address, why, and whether the same mail would come back again."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.mime.bounces import Report, ReportedRecipient, read_report
from sync.mime.parse import parse_message
from tests.shared_data import shared_data

SENT = "Message-ID: <ours@northwind.example>\r\nFrom: support@northwind.example\r\nTo: carla@customer.example\r\n"

BY_FIELDS = (
    "From: Mail Delivery System <MAILER-DAEMON@mx.example>\r\nTo: support@northwind.example\r\n"
    "Subject: Undelivered Mail Returned to Sender\r\nMIME-Version: 1.0\r\n"
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
    "--b\r\nContent-Type: text/plain\r\n\r\nSorry. Here is why.\r\n"
    "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n{recipients}\r\n"
    f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\n{SENT}Subject: Your bike\r\n\r\n--b--\r\n"
)

PROSE = (
    "From: Mail Delivery System <Mailer-Daemon@mx.example>\r\nTo: support@northwind.example\r\n"
    "Subject: Mail delivery failed\r\n\r\nThis is the mail server. It could not deliver your mail to:\r\n\r\n"
    "  carla@customer.example\r\n    {said}\r\n\r\n"
    f"------ A copy of it ------\r\n\r\nReturn-path: <support@northwind.example>\r\n{SENT}Subject: Hi\r\n\r\nHello.\r\n"
)


def read(text: str) -> Report:
    report = read_report(parse_message(text.encode()))
    assert report is not None
    return report


def block(address: str, status: str, said: str, action: str = "failed") -> str:
    return (
        f"Final-Recipient: rfc822; {address}\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; {said}\r\n"
    )


def test_the_fields_of_a_report_name_addresses_and_reasons() -> None:
    both = block("carla@customer.example", "5.1.1", "550 5.1.1 No such user") + "\r\n"
    both += block("dan@customer.example", "5.2.2", "552 5.2.2 Mailbox full")
    report = read(BY_FIELDS.format(recipients=both))
    assert (report.kind, report.message_ids) == ("bounce", ("ours@northwind.example",))
    assert report.recipients == (
        ReportedRecipient("carla@customer.example", "failed", True, "5.1.1", "550 5.1.1 No such user"),
        ReportedRecipient("dan@customer.example", "failed", False, "5.2.2", "552 5.2.2 Mailbox full"),
    )


def test_a_warning_of_delay_is_no_failure() -> None:
    [told] = read(BY_FIELDS.format(recipients=block("carla@customer.example", "4.4.1", "", "delayed"))).recipients
    assert (told.outcome, told.permanent) == ("delayed", False)


def test_word_of_delivery_is_no_failure() -> None:
    [told] = read(BY_FIELDS.format(recipients=block("carla@customer.example", "2.0.0", "250 Ok", "relayed"))).recipients
    assert told.outcome == "delivered"


@pytest.mark.parametrize(
    ("said", "status", "permanent"),
    [
        ("550 5.1.1 <carla@customer.example>: unknown", "5.1.1", True),
        ("host mx.customer.example: 550 no such user here", "", True),
        ("452 4.2.2 over quota", "4.2.2", False),
        ("connection timed out", "", False),
    ],
)
def test_prose_is_read_as_well(said: str, status: str, permanent: bool) -> None:
    report = read(PROSE.format(said=said))
    [told] = report.recipients
    assert (told.address, told.outcome, told.status) == ("carla@customer.example", "failed", status)
    assert told.permanent is permanent
    assert report.message_ids == ("ours@northwind.example",)


def test_prose_that_says_it_goes_on_trying_is_a_delay() -> None:
    [told] = read(PROSE.format(said="451 busy. Delivery will be retried for 3 days.")).recipients
    assert told.outcome == "delayed"


def test_a_complaint_names_the_mail_that_it_is_about() -> None:
    text = (
        "From: feedback@provider.example\r\nSubject: Abuse report\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n"
        "Original-Rcpt-To: <carla@customer.example>\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\n{SENT}\r\nHello.\r\n--b--\r\n"
    )
    report = read(text)
    assert (report.kind, report.message_ids) == ("complaint", ("ours@northwind.example",))
    assert [each.address for each in report.recipients] == ["carla@customer.example"]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ("From: Carla <carla@customer.example>\r\nSubject: Delivery failed?", "It was not delivered: 550 euros!"),
        ("From: Shop <no-reply@shop.example>\r\nList-Unsubscribe: <https://shop.example>\r\nSubject: Delivered", "Hi"),
        ("From: carla@customer.example\r\nAuto-Submitted: auto-replied\r\nSubject: Away", "Ask dan@customer.example"),
    ],
)
def test_other_mail_is_no_report(fields: str, text: str) -> None:
    assert read_report(parse_message(f"{fields}\r\n\r\n{text}\r\n".encode())) is None


def test_real_bounces_are_classified() -> None:
    """Of mail servers and providers of three decades. Left out is what no program can know: see NO_REPORTS."""
    folder = shared_data("bounce-sisimai") / "maildir"
    kinds: Counter[str] = Counter()
    unread: set[str] = set()
    for path in sorted(each for kind in ("bsd", "dos", "mac") for each in (folder / kind).iterdir()):
        report = read_report(parse_message(path.read_bytes()))
        if path.name.startswith("rfc3834"):
            assert report is None, path.name
        elif report is None or not (report.recipients or report.message_ids):
            unread.add(path.name)
        else:
            kinds[report.kind] += 1
            assert (report.kind == "complaint") == path.name.startswith("arf"), path.name
            if report.kind == "bounce":
                assert all("@" in told.address and told.words for told in report.recipients), path.name
    assert unread == NO_REPORTS
    assert kinds.total() > 770


NO_REPORTS = {
    "arf-26.eml",  # a mail program that asks to be taken off a list
    "lhost-amazonses-11.eml",  # a complaint as JSON, by a notification service
    "lhost-fml-02.eml",  # a mailing list that says who may write to it, naming nobody
    "lhost-fml-03.eml",
    "lhost-sendmail-14.eml",  # a person who forwards a bounce
    "lhost-x1-02.eml",  # a message whose text is lost to a broken boundary
}


def test_fields_and_prose_of_real_bounces_agree() -> None:
    """The prose of those that have both is read as if there were no fields: most name the same addresses."""
    agree: Counter[bool] = Counter()
    for path in sorted((shared_data("bounce-sisimai") / "maildir" / "bsd").iterdir()):
        message = parse_message(path.read_bytes())
        prose = tuple(each for each in message.attachments if each.content_type != "message/delivery-status")
        if len(prose) == len(message.attachments):
            continue
        by_fields, by_prose = read_report(message), read_report(replace(message, attachments=prose))
        assert by_fields is not None
        agree[by_prose is not None and _addresses(by_fields) == _addresses(by_prose)] += 1
    assert agree[True] > 0.9 * agree.total()


def _addresses(report: Report) -> set[str]:
    return {told.address.lower() for told in report.recipients}


@given(st.binary(max_size=400), st.sampled_from([BY_FIELDS, PROSE]))
def test_no_bytes_make_it_fail(noise: bytes, frame: str) -> None:
    text = frame.encode().replace(b"{recipients}", noise).replace(b"{said}", noise)
    report = read_report(parse_message(text))
    assert report is None or all(len(told.words) <= 500 for told in report.recipients)
