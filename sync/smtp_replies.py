"""From an SMTP reply to words for the person who sent the mail: enhanced status codes (RFC 3463) first.

The enhanced code is looked up without its class (`5.1.1` and `4.1.1` are both `1.1`): whether trying again helps is
told by the basic code, 4yz or 5yz. Where a server sends no enhanced code, known phrases and then the basic code
decide. Sentences may name the recipient; remedies say what the sender can do.
"""

import re
from typing import NamedTuple

from sync.types import Problem

_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")


class _Meaning(NamedTuple):
    code: str
    sentence: str
    remedy: str


_WAIT = "It is tried again by itself."
_ASK = "Ask {whom} in another way for an address that works."

_BY_STATUS: dict[str, _Meaning] = {
    "1.0": _Meaning("bad_recipient", "The server does not accept the address {whom}.", "Check the address."),
    "1.1": _Meaning("no_such_recipient", "There is no mailbox {whom}.", "Check the address for a typing mistake."),
    "1.2": _Meaning("no_such_domain", "The domain of {whom} takes no mail.", "Check the part after the @."),
    "1.3": _Meaning("bad_recipient", "{whom} is not a valid address.", "Check the address for a typing mistake."),
    "1.4": _Meaning("ambiguous_recipient", "{whom} could be several mailboxes.", "Use the complete address."),
    "1.6": _Meaning("recipient_moved", "The mailbox {whom} has moved.", _ASK),
    "1.7": _Meaning(
        "bad_sender", "The server finds the sender's address not valid.", "Check the mailbox's own address."
    ),
    "1.8": _Meaning(
        "bad_sender", "The server does not accept the sender's domain.", "Check the mailbox's own address and its DNS."
    ),
    "1.9": _Meaning("relayed_without_report", "The mail went on without a promise of a report.", "Nothing to do."),
    "1.10": _Meaning(
        "no_such_domain", "The domain of {whom} says that it takes no mail.", "Check the part after the @."
    ),
    "2.0": _Meaning("mailbox_problem", "The mailbox {whom} has a problem.", _ASK),
    "2.1": _Meaning("mailbox_disabled", "The mailbox {whom} is switched off.", _ASK),
    "2.2": _Meaning("mailbox_full", "The mailbox {whom} is full.", "Tell {whom} in another way, or try again later."),
    "2.3": _Meaning(
        "too_large_for_recipient",
        "The mail is larger than {whom} may receive.",
        "Send fewer or smaller attachments, or a link.",
    ),
    "2.4": _Meaning("list_problem", "The mailing list {whom} cannot be expanded.", "Tell the list's owner."),
    "3.0": _Meaning("server_problem", "The receiving server has a problem.", _WAIT),
    "3.1": _Meaning("server_full", "The receiving server has no space left.", _WAIT),
    "3.2": _Meaning("server_closed", "The server takes no mail just now.", _WAIT),
    "3.3": _Meaning(
        "feature_missing", "The receiving server lacks something that this mail needs.", "Send it as plain text."
    ),
    "3.4": _Meaning(
        "message_too_large", "The mail is too large for the server.", "Send fewer or smaller attachments, or a link."
    ),
    "3.5": _Meaning("server_misconfigured", "The server is set up wrongly.", "Tell its operator."),
    "4.0": _Meaning("network_problem", "The mail could not be passed on.", _WAIT),
    "4.1": _Meaning("server_silent", "The recipient's server does not answer.", _WAIT),
    "4.2": _Meaning("connection_broken", "The connection to the recipient's server broke off.", _WAIT),
    "4.3": _Meaning("lookup_failed", "The recipient's server could not be looked up.", _WAIT),
    "4.4": _Meaning("no_route", "No way to the server of {whom} was found.", "Check the part after the @."),
    "4.5": _Meaning("congested", "The server is overloaded.", _WAIT),
    "4.6": _Meaning("mail_loop", "The mail would go round in circles.", "Tell the operator of the recipient's server."),
    "4.7": _Meaning("took_too_long", "The mail could not be delivered in time.", "Send it again."),
    "5.0": _Meaning(
        "protocol_problem", "The two servers did not understand each other.", "Tell the server's operator."
    ),
    "5.1": _Meaning("protocol_problem", "The server refused a command.", "Tell the server's operator."),
    "5.2": _Meaning("protocol_problem", "The server did not understand a command.", "Tell the server's operator."),
    "5.3": _Meaning(
        "too_many_recipients", "The mail has too many recipients for the server.", "Send it in smaller groups."
    ),
    "5.4": _Meaning("protocol_problem", "The server refused part of a command.", "Tell the server's operator."),
    "5.6": _Meaning("protocol_problem", "The server refused the sign-in exchange.", "Tell the server's operator."),
    "6.0": _Meaning("content_problem", "The server does not accept the content of the mail.", "Send it as plain text."),
    "6.1": _Meaning("attachment_type", "An attachment is of a kind that is not accepted.", "Send a link instead."),
    "6.2": _Meaning(
        "conversion_needed", "The mail would have to be converted, which is forbidden.", "Send it as plain text."
    ),
    "6.3": _Meaning(
        "conversion_needed", "The mail would have to be converted, which is not possible.", "Send it as plain text."
    ),
    "6.5": _Meaning(
        "conversion_failed", "The mail could not be converted for the recipient.", "Send it as plain text."
    ),
    "6.6": _Meaning("content_problem", "The content is not available to the server.", "Send it again."),
    "6.7": _Meaning(
        "address_needs_smtputf8",
        "The server cannot handle an address with letters outside of ASCII.",
        "Ask for an address without accents or foreign letters.",
    ),
    "7.0": _Meaning("policy", "The server refuses the mail for reasons of its own.", "Read the server's words below."),
    "7.1": _Meaning("not_permitted", "The server does not let this sender write to {whom}.", _ASK),
    "7.2": _Meaning("list_not_permitted", "This sender may not write to the list {whom}.", "Ask the list's owner."),
    "7.3": _Meaning("conversion_needed", "A protected conversion is not possible.", "Send it as plain text."),
    "7.4": _Meaning("feature_missing", "A security feature is missing at the server.", "Tell the server's operator."),
    "7.5": _Meaning("encryption_failed", "The encryption failed.", "Tell the server's operator."),
    "7.6": _Meaning("encryption_failed", "The server's encryption is not supported.", "Tell the server's operator."),
    "7.7": _Meaning("content_changed", "The mail was changed on its way.", "Send it again."),
    "7.8": _Meaning(
        "wrong_password", "The server does not accept user name and password.", "Check the account's settings."
    ),
    "7.9": _Meaning(
        "app_password_needed",
        "The server wants an app password.",
        "Create one at the provider and enter it in the account.",
    ),
    "7.10": _Meaning("tls_needed", "The server wants a protected connection.", "Choose TLS in the account's settings."),
    "7.11": _Meaning(
        "tls_needed", "The sign-in needs a protected connection.", "Choose TLS in the account's settings."
    ),
    "7.13": _Meaning("account_locked", "The sending account is switched off.", "Sign in at the provider's web site."),
    "7.15": _Meaning("priority_refused", "The priority of the mail is too low just now.", _WAIT),
    "7.17": _Meaning("recipient_changed_hands", "The mailbox {whom} has a new owner.", _ASK),
    "7.20": _Meaning(
        "signature_failed", "The mail has no valid DKIM signature.", "Ask whoever runs your domain to set DKIM up."
    ),
    "7.21": _Meaning(
        "signature_failed", "The DKIM signature is not accepted.", "Ask whoever runs your domain to check DKIM."
    ),
    "7.22": _Meaning(
        "signature_failed", "The DKIM signature is from another domain.", "Ask whoever runs your domain to check DKIM."
    ),
    "7.23": _Meaning(
        "spf_failed",
        "SPF does not permit this server to send for your domain.",
        "Ask whoever runs your domain to check SPF.",
    ),
    "7.24": _Meaning("spf_failed", "SPF could not be checked.", "Ask whoever runs your domain to check SPF."),
    "7.25": _Meaning(
        "reverse_dns_failed", "The sending server has no valid reverse name.", "Tell the operator of your mail server."
    ),
    "7.26": _Meaning(
        "not_authenticated",
        "The mail fails the checks of SPF, DKIM or DMARC.",
        "Ask whoever runs your domain to check all three.",
    ),
    "7.27": _Meaning(
        "bad_sender", "The sender's domain says that it takes no mail.", "Check the mailbox's own address."
    ),
    "7.28": _Meaning(
        "too_much_mail", "The server finds that too much mail comes from here.", "Send less for some hours."
    ),
    "7.29": _Meaning(
        "not_authenticated", "A forwarded signature (ARC) is not valid.", "Tell the operator of your mail server."
    ),
    "7.30": _Meaning(
        "tls_needed", "The recipient insists on protected delivery.", "Tell the operator of your mail server."
    ),
    "7.57": _Meaning(
        "wrong_password", "The server wants a sign-in before sending.", "Enter user name and password in the account."
    ),
    "7.60": _Meaning(
        "not_own_address",
        "This account may not send with this sender's address.",
        "Use the account's own address as sender.",
    ),
    "7.64": _Meaning(
        "relay_refused", "The server does not pass on mail for {whom}.", "Check that the account signs in for sending."
    ),
    "7.139": _Meaning(
        "oauth_needed", "The server no longer accepts passwords here.", "Connect the account by OAuth 2."
    ),
    "7.509": _Meaning(
        "not_authenticated", "The mail fails DMARC.", "Ask whoever runs your domain to check SPF and DKIM."
    ),
    "7.511": _Meaning(
        "blocked_sender",
        "The receiving provider has blocked this sender.",
        "Follow the instructions in its words below.",
    ),
    "7.606": _Meaning(
        "blocked_server",
        "The receiving provider has blocked the sending server.",
        "Tell the operator of your mail server.",
    ),
    "7.708": _Meaning(
        "blocked_server", "The provider lets no mail pass from this network.", "Tell your mail provider."
    ),
}

_PHRASES: tuple[tuple[str, str], ...] = (
    ("user unknown", "1.1"),
    ("unknown user", "1.1"),
    ("no such user", "1.1"),
    ("does not exist", "1.1"),
    ("mailbox unavailable", "1.1"),
    ("invalid recipient", "1.1"),
    ("mailbox is full", "2.2"),
    ("mailbox full", "2.2"),
    ("quota", "2.2"),
    ("too large", "3.4"),
    ("message size", "3.4"),
    ("too big", "3.4"),
    ("greylist", "4.5"),
    ("graylist", "4.5"),
    ("try again later", "4.5"),
    ("too many recipients", "5.3"),
    ("relay", "7.64"),
    ("sender address rejected", "7.60"),
    ("not owned by", "7.60"),
    ("send as", "7.60"),
    ("sendasdenied", "7.60"),
    ("dmarc", "7.26"),
    ("dkim", "7.20"),
    ("spf", "7.23"),
    ("blacklist", "7.606"),
    ("blocklist", "7.606"),
    ("spamhaus", "7.606"),
    ("rate limit", "7.28"),
    ("too many messages", "7.28"),
    ("sending limit", "7.28"),
    ("authentication required", "7.57"),
    ("virus", "6.1"),
    ("spam", "7.0"),
    ("policy", "7.0"),
)

_BY_BASIC_CODE = {
    421: "3.2",
    432: "7.0",
    450: "2.0",
    451: "3.0",
    452: "3.1",
    454: "7.0",
    455: "5.4",
    500: "5.2",
    501: "5.4",
    502: "5.1",
    503: "5.1",
    504: "5.4",
    521: "1.10",
    523: "3.4",
    525: "7.13",
    530: "7.57",
    534: "7.9",
    535: "7.8",
    538: "7.11",
    550: "1.1",
    551: "1.6",
    552: "2.2",
    553: "1.3",
    554: "7.0",
    555: "5.4",
    556: "1.10",
}

_AUTH_PHRASES: tuple[tuple[str, str], ...] = (
    ("application-specific password", "app_password_needed"),
    ("app-specific password", "app_password_needed"),
    ("app password", "app_password_needed"),
    ("authorization code", "app_password_needed"),
    ("smtpclientauthentication is disabled", "smtp_disabled"),
    ("smtp service is not enabled", "smtp_disabled"),
    ("basic authentication is disabled", "oauth_needed"),
    ("user credentials were incorrect, basic authentication", "oauth_needed"),
    ("web browser", "account_locked"),
    ("account is locked", "account_locked"),
    ("account locked", "account_locked"),
    ("account disabled", "account_locked"),
    ("starttls", "tls_needed"),
    ("encryption required", "tls_needed"),
    ("too many", "throttled"),
    ("rate limit", "throttled"),
)


def enhanced_status(text: str) -> str | None:
    """The first enhanced status code in a reply, e.g. `5.1.1`."""
    match = _ENHANCED.search(text)
    return ".".join(match.groups()) if match else None


def explain(code: int, text: str, *, recipient: str = "") -> Problem:
    """A refusal (4yz or 5yz) of a command or of the message, in words. `recipient` is whom it is about, if anyone."""
    meaning = _meaning(code, text)
    whom = recipient or "the recipient"
    permanent = code >= 500
    remedy = meaning.remedy.format(whom=whom)
    if not permanent and meaning.remedy is not _WAIT:
        remedy = f"{_WAIT} If it stays: {remedy[0].lower()}{remedy[1:]}"
    elif permanent and meaning.remedy is _WAIT:
        remedy = "Send it again later."
    return Problem(meaning.code, permanent, meaning.sentence.format(whom=whom), remedy, f"{code} {text}".strip())


_PASSING = ("2.2", "3.1", "3.2", "4.1", "4.2", "4.3", "4.5", "4.7", "5.3", "7.15", "7.28")


def passes_by_itself(status: str, code: int, text: str) -> bool:
    """Whether what a report says need not last: a class of 4 (RFC 3463), a full mailbox, a server that was silent."""
    if status:
        if status[2:] not in ("0.0", "1.0", "2.0", "3.0", "4.0", "5.0", "7.0"):
            return status.startswith("4.") or status[2:] in _PASSING
        by_words = _by_phrase(text)
        return status.startswith("4.") or by_words in _PASSING
    if code:
        return code < 500 or _by_phrase(text) in _PASSING
    lowered = text.casefold()
    return _by_phrase(text) in _PASSING or any(word in lowered for word in _SILENT)


_SILENT = ("timed out", "timeout", "connection refused", "no response", "in the queue too long", "not responding")


def sign_in_refusal(code: int, text: str) -> str:
    """The code of `sync.errors` for a refused AUTH."""
    lowered = text.casefold()
    by_phrase = next((found for phrase, found in _AUTH_PHRASES if phrase in lowered), None)
    if by_phrase is not None:
        return by_phrase
    status = enhanced_status(text) or ""
    by_status = {"7.9": "app_password_needed", "7.139": "oauth_needed", "7.13": "account_locked"}
    if status[2:] in by_status:
        return by_status[status[2:]]
    if code in (530, 538):
        return "tls_needed"
    return "server_unavailable" if code < 500 else "wrong_password"


def _meaning(code: int, text: str) -> _Meaning:
    """x.y.0 and x.7.1 are said for everything: there a known phrase tells more."""
    status = enhanced_status(text)
    generic = None
    if status is not None:
        known = _BY_STATUS.get(status[2:])
        if known is not None and not status.endswith(".0") and status[2:] != "7.1":
            return known
        generic = known
    phrase = _by_phrase(text)
    if phrase is not None:
        return _BY_STATUS[phrase]
    if generic is not None:
        return generic
    if status is not None and f"{status[2]}.0" in _BY_STATUS:
        return _BY_STATUS[f"{status[2]}.0"]
    return _BY_STATUS[_BY_BASIC_CODE.get(code, "7.0")]


def _by_phrase(text: str) -> str | None:
    lowered = text.casefold()
    return next((found for words, found in _PHRASES if words in lowered), None)
