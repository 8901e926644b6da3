"""Replies of real servers, and what they are explained as."""

import re

import pytest

from sync.smtp_replies import _BY_BASIC_CODE, _BY_STATUS, _PHRASES, enhanced_status, explain

DEEDS = {
    *("Ask", "Check", "Choose", "Connect", "Create", "Enter", "Follow"),
    *("Nothing", "Read", "Send", "Sign", "Tell", "Use"),
}
"""What the first word of a remedy may be: somebody does something, or need not."""
JARGON = ("smtp", "mx ", "mta", "rcpt", "dsn", "enhanced", "permanent", "transient", "smtputf8", "ehlo", "relay")


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (550, "5.1.1 The email account that you tried to reach does not exist.", "no_such_recipient"),
        (550, "5.1.1 <x@example.org>: Recipient address rejected: User unknown", "no_such_recipient"),
        (550, "No such user here", "no_such_recipient"),
        (553, "5.1.3 The recipient address is not a valid RFC-5321 address", "bad_recipient"),
        (550, "5.1.10 RESOLVER.ADR.RecipientNotFound; not found", "no_such_domain"),
        (552, "5.2.2 The email account that you tried to reach is over quota", "mailbox_full"),
        (452, "4.2.2 Over quota", "mailbox_full"),
        (552, "5.3.4 Message size exceeds fixed limit", "message_too_large"),
        (552, "Message too large", "message_too_large"),
        (450, "4.2.0 <x@example.org>: Recipient address rejected: Greylisted", "congested"),
        (451, "4.7.1 Greylisting in action, please come back later", "congested"),
        (452, "4.5.3 Too many recipients", "too_many_recipients"),
        (550, "5.7.1 Relaying denied", "relay_refused"),
        (554, "Relay access denied", "relay_refused"),
        (550, "5.7.1 You may not", "not_permitted"),
        (550, "5.7.26 This mail is unauthenticated", "not_authenticated"),
        (550, "5.7.28 Our system has detected an unusual rate of unsolicited mail", "too_much_mail"),
        (550, "5.7.60 SMTP; Client does not have permissions to send as this sender", "not_own_address"),
        (553, "Sender address rejected: not owned by user ana@example.org", "not_own_address"),
        (554, "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using Spamhaus", "blocked_server"),
        (554, "Blocked, see https://www.spamhaus.example/", "blocked_server"),
        (554, "5.7.0 This message was classified as spam", "policy"),
        (530, "5.7.57 Client not authenticated to send mail", "wrong_password"),
        (555, "5.6.7 SMTPUTF8 is required", "address_needs_smtputf8"),
        (421, "Try again later, closing connection", "congested"),
        (550, "", "no_such_recipient"),
        (451, "Requested action aborted", "server_problem"),
        (599, "Something never seen", "policy"),
        (550, "5.9.99 Something never seen", "no_such_recipient"),
    ],
)
def test_replies_are_explained(code: int, text: str, expected: str) -> None:
    problem = explain(code, text, recipient="bob@example.org")
    assert problem.code == expected
    assert problem.permanent is (code >= 500)
    assert problem.server_words == f"{code} {text}".strip()
    assert "{" not in problem.sentence + problem.remedy


@pytest.mark.parametrize("status", sorted(_BY_STATUS))
@pytest.mark.parametrize("kind", [4, 5])
def test_every_status_has_a_sentence_and_a_remedy(status: str, kind: int) -> None:
    problem = explain(kind * 100 + 50, f"{kind}.{status} words", recipient="bob@example.org")
    assert problem.sentence.endswith(".")
    assert problem.remedy.endswith(".")
    assert "{" not in problem.sentence + problem.remedy
    assert ("tried again by itself" in problem.remedy) is (kind == 4)


def test_the_tables_agree() -> None:
    assert len(_BY_STATUS) >= 60
    assert {status for _, status in _PHRASES} | set(_BY_BASIC_CODE.values()) <= set(_BY_STATUS)


def test_at_least_sixty_codes_say_what_is_wrong_each_in_its_own_words() -> None:
    said = {status: explain(550, f"5.{status} words", recipient="bob@example.org") for status in _BY_STATUS}
    assert len({problem.sentence for problem in said.values()}) == len(_BY_STATUS) >= 60


@pytest.mark.parametrize("status", sorted(_BY_STATUS))
def test_the_words_are_plain_and_say_what_to_do(status: str) -> None:
    problem = explain(550, f"5.{status} words", recipient="bob@example.org")
    assert 3 <= len(problem.sentence.split()) <= 14
    assert problem.remedy.split()[0] in DEEDS, problem.remedy
    said = (problem.sentence + problem.remedy).casefold()
    assert not [word for word in JARGON if word in said]
    assert not re.search(r"\d\.\d", said)  # the code itself is in the server's words


@pytest.mark.parametrize(
    ("text", "expected"),
    [("5.1.1 No", "5.1.1"), ("see 192.5.1.1 there", None), ("No [5.7.509] x", "5.7.509"), ("version 12.5.1.1", None)],
)
def test_enhanced_codes_are_not_taken_from_addresses(text: str, expected: str | None) -> None:
    assert enhanced_status(text) == expected
