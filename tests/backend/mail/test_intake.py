"""Which mailboxes a mail of the intake account belongs to: by what servers and senders wrote on it."""

import pytest

from backend.mail.intake import Directory, Known, sort_mail, tags_of
from sync.mime.parse import parse_message

INTAKE, SUPPORT, SALES, ANA, BILLING = 1, 2, 3, 4, 5

DIRECTORY = Directory(
    intake_id=INTAKE,
    intake_addresses=frozenset({"intake@northwind.example"}),
    mailboxes={
        "support@northwind.example": SUPPORT,
        "help@northwind.example": SUPPORT,
        "sales@northwind.example": SALES,
        "ana@northwind.example": ANA,
        "billing@northwind.example": BILLING,
    },
    tags={"support": SUPPORT, "sales": SALES, "ana": ANA, "billing": BILLING, "billing-5": BILLING},
    with_account=frozenset({BILLING}),
)


def mail(
    *headers: str, sender: str = "carla@customer.example", to: str = "news@list.example", known: Known | None = None
) -> list[int]:
    """Where a mail with these further header lines goes."""
    lines = [*headers, f"From: {sender}", f"To: {to}", "Message-ID: <1@customer.example>", "", "Hello"]
    return sort_mail(parse_message("\r\n".join(lines).encode()), DIRECTORY, known)


@pytest.mark.parametrize(
    "header",
    [
        "Delivered-To: support@northwind.example",
        "Delivered-To: intake+support@northwind.example",
        "Delivered-To: INTAKE+Support@Northwind.Example",
        "X-Forwarded-To: intake+support@northwind.example",
        "X-Forwarded-For: support@northwind.example intake@northwind.example",
        "X-Original-To: help@northwind.example",
        "Envelope-To: <support@northwind.example>",
        "Resent-To: Support <support@northwind.example>",
        "Delivered-To: intake@northwind.example\r\nX-Original-To: support@northwind.example",
    ],
)
def test_what_servers_wrote_on_the_way_decides(header: str) -> None:
    assert mail(header, to="sales@northwind.example") == [SUPPORT]


def test_without_such_headers_to_and_cc_decide_and_each_gets_it() -> None:
    assert mail("Cc: Sales <SALES@northwind.example>", to="help@northwind.example") == [SUPPORT, SALES]


FORGED = "Authentication-Results: mx.northwind.example; spf=pass smtp.mailfrom=bad.example; dmarc=fail"
GENUINE = "Authentication-Results: mx.northwind.example; dkim=pass header.d=northwind.example"


def test_who_writes_under_our_address_is_believed_as_far_as_the_server_does() -> None:
    copied = "Cc: intake@northwind.example"
    ours = "ana@northwind.example"
    assert mail(copied, sender=ours) == mail(GENUINE, copied, sender=ours) == [ANA]
    assert mail(FORGED, copied, sender=ours) == [INTAKE], "it waits for an admin"
    assert mail(FORGED, sender=ours, to="sales@northwind.example") == [SALES]
    assert mail(FORGED, "Auto-Submitted: auto-replied", sender=ours, to="sales@northwind.example") == [SALES]


def test_a_plus_address_in_to_is_understood() -> None:
    assert mail("Delivered-To: intake@northwind.example", to="intake+sales@northwind.example") == [SALES]


def test_several_deliveries_are_several_messages() -> None:
    assert mail("Delivered-To: support@northwind.example", "X-Original-To: sales@northwind.example") == [SUPPORT, SALES]


def test_what_names_nobody_waits_in_the_intake_mailbox() -> None:
    assert mail("Delivered-To: intake@northwind.example") == [INTAKE]
    assert mail("Delivered-To: intake+nobody@northwind.example") == [INTAKE]


def test_a_mailbox_with_its_own_account_is_sorted_to_only_when_nobody_else_is_named() -> None:
    assert mail("Cc: billing@northwind.example", to="support@northwind.example") == [SUPPORT]
    assert mail(to="billing@northwind.example") == [BILLING]
    assert mail("Delivered-To: billing@northwind.example", to="support@northwind.example") == [BILLING]


def test_a_copy_of_ones_own_mail_is_the_outgoing_mail_of_its_sender() -> None:
    to_the_intake = "Delivered-To: intake@northwind.example"
    assert mail(to_the_intake, sender="Ana <ana@northwind.example>", to="carla@customer.example") == [ANA]
    assert mail("Cc: intake@northwind.example", sender="ana@northwind.example") == [ANA]


def test_a_colleague_s_mail_that_was_forwarded_is_not_taken_for_a_copy() -> None:
    forwarded = "Delivered-To: intake+support@northwind.example"
    assert mail(forwarded, sender="ana@northwind.example", to="support@northwind.example") == [SUPPORT]


def test_a_copy_that_also_goes_to_a_colleague_is_in_both() -> None:
    copied = "Cc: intake@northwind.example"
    assert mail(copied, sender="ana@northwind.example", to="support@northwind.example") == [SUPPORT, ANA]


def test_a_machine_s_mail_from_our_own_address_goes_nowhere() -> None:
    automatic = "Auto-Submitted: auto-replied"
    assert mail(automatic, sender="support@northwind.example", to="sales@northwind.example") == [INTAKE]
    assert mail(automatic, sender="intake@northwind.example", to="support@northwind.example") == [INTAKE]


def test_a_machine_s_mail_from_elsewhere_is_mail() -> None:
    assert mail("Auto-Submitted: auto-replied", to="support@northwind.example") == [SUPPORT]


def test_what_we_sent_comes_round_to_where_it_is_only() -> None:
    ours = {"sender": "support@northwind.example", "to": "carla@customer.example"}
    assert mail(**ours, known=Known({SUPPORT}, {SUPPORT})) == [SUPPORT]
    changed_by_a_forwarder = Known({SUPPORT}, set())
    assert mail("Delivered-To: support@northwind.example", **ours, known=changed_by_a_forwarder) == [INTAKE]


def test_what_one_mailbox_sent_to_another_arrives_there() -> None:
    forwarded = "Delivered-To: intake+sales@northwind.example"
    ours = {"sender": "support@northwind.example", "to": "sales@northwind.example"}
    assert mail(forwarded, **ours, known=Known({SUPPORT}, set())) == [SALES]


def test_hundreds_of_delivery_lines_hide_nothing_of_to() -> None:
    assert mail(*["Delivered-To: nobody@elsewhere.example"] * 500, to="support@northwind.example") == [SUPPORT]


@pytest.mark.parametrize(
    ("address", "tags"),
    [
        ("Support@northwind.example", ("support", "support-7")),
        ("o'neil+shop@northwind.example", ("o-neil-shop", "o-neil-shop-7")),
        ("ü@northwind.example", ("mailbox", "mailbox-7")),
    ],
)
def test_a_mailbox_has_a_readable_name_behind_the_plus_and_one_of_its_own(address: str, tags: tuple[str, str]) -> None:
    assert tags_of(address, 7) == tags


def test_what_lies_in_sent_or_drafts_came_to_nobody() -> None:
    lines = b"From: support@northwind.example\r\nTo: sales@northwind.example\r\n\r\nHello"
    assert sort_mail(parse_message(lines), DIRECTORY, role="sent") == [SUPPORT]
    assert sort_mail(parse_message(lines), DIRECTORY, role="drafts") == [INTAKE]
