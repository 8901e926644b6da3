"""From an IMAP server's refusal to a code of `sync.errors`: response codes first (RFC 5530), then known
phrases.

The phrases are those that large providers and common servers send; they are matched in small letters.
"""

import re

_RESPONSE_CODE = re.compile(r"\[([A-Za-z-]+)[^\]]*\]")

_PHRASES: tuple[tuple[str, str], ...] = (
    # A phrase says more than the response code AUTHENTICATIONFAILED, so phrases that name a cause come first.
    ("application-specific password", "app_password_needed"),
    ("app-specific password", "app_password_needed"),
    ("app password", "app_password_needed"),
    ("authorization code", "app_password_needed"),
    ("basic authentication is disabled", "oauth_needed"),
    ("basicauthblocked", "oauth_needed"),
    ("please log in via your web browser", "account_locked"),
    ("log in with your web browser", "account_locked"),
    ("web login required", "account_locked"),
    ("webalert", "account_locked"),
    ("account is locked", "account_locked"),
    ("account locked", "account_locked"),
    ("account disabled", "account_locked"),
    ("account is blocked", "account_locked"),
    ("unsafe login", "account_locked"),
    ("not enabled for imap", "imap_disabled"),
    ("imap access is disabled", "imap_disabled"),
    ("imap is disabled", "imap_disabled"),
    ("imap disabled", "imap_disabled"),
    ("imap service is not enabled", "imap_disabled"),
    ("imap access disabled", "imap_disabled"),
    ("enable imap", "imap_disabled"),
    ("maximum number of connections", "too_many_connections"),
    ("too many simultaneous connections", "too_many_connections"),
    ("too many connections", "too_many_connections"),
    ("connection limit", "too_many_connections"),
    ("bandwidth limits", "throttled"),
    ("too many login", "throttled"),
    ("too many failed", "throttled"),
    ("too many attempts", "throttled"),
    ("rate limit", "throttled"),
    ("throttled", "throttled"),
    ("try again later", "server_unavailable"),
    ("temporary", "server_unavailable"),
    ("plaintext authentication disallowed", "tls_needed"),
    ("cleartext", "tls_needed"),
    ("invalid credentials", "wrong_password"),
    ("authentication failed", "wrong_password"),
    ("login failed", "wrong_password"),
    ("incorrect password", "wrong_password"),
)

_CODES = {
    "AUTHENTICATIONFAILED": "wrong_password",
    "AUTHORIZATIONFAILED": "wrong_password",
    "EXPIRED": "account_locked",
    "CONTACTADMIN": "account_locked",
    "PRIVACYREQUIRED": "tls_needed",
    "UNAVAILABLE": "server_unavailable",
    "SERVERBUG": "server_unavailable",
    "INUSE": "server_unavailable",
    "THROTTLED": "throttled",
    "LIMIT": "throttled",
    "NOPERM": "read_only",
    "READ-ONLY": "read_only",
    "OVERQUOTA": "over_quota",
    "TRYCREATE": "no_such_folder",
    "NONEXISTENT": "no_such_folder",
}


_PASSING = ("throttled", "server_unavailable", "too_many_connections")


def sign_in_refusal(words: str, *, passwords_offered: bool = True) -> str:
    """The code for a refused sign-in. A server that offers no password mechanism at all wants OAuth 2."""
    code = _by_phrase(words) or _by_response_code(words)
    if code in (None, "wrong_password") and not passwords_offered:
        return "oauth_needed"
    return code or "wrong_password"


def goodbye(words: str) -> str:
    """The code for a connection that the server ends with BYE, before or after sign-in."""
    return _by_phrase(words) or _by_response_code(words) or "connection_lost"


def command_refusal(words: str) -> str:
    """The code for a refused command after sign-in."""
    code = _by_response_code(words)
    if "[SERVERBUG" in words.upper():
        return "refused_by_server"  # about this one request; the next may succeed
    if code is not None and code not in ("wrong_password", "account_locked"):
        return code
    lowered = words.casefold()
    if "quota" in lowered:
        return "over_quota"
    if "doesn't exist" in lowered or "does not exist" in lowered or "no such mailbox" in lowered:
        return "no_such_folder"
    by_phrase = _by_phrase(words)
    return (
        by_phrase if by_phrase in ("throttled", "server_unavailable", "too_many_connections") else "refused_by_server"
    )


def _by_phrase(words: str) -> str | None:
    lowered = words.casefold()
    return next((code for phrase, code in _PHRASES if phrase in lowered), None)


def _by_response_code(words: str) -> str | None:
    for match in _RESPONSE_CODE.finditer(words):
        code = _CODES.get(match.group(1).upper())
        if code is not None:
            return code
    return None
