"""What the settings say of a mail account: its plan, its folders, how signing in went. Words and shapes alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict

import msgspec

from backend.accounts.contracts import (
    AccountPlan,
    AccountSettings,
    ConnectAccount,
    FolderPlan,
    FoundServers,
    ServerAddress,
    ServerCheck,
    SetAsideMail,
)
from frontend.sizes import size_words


class ServersView(TypedDict):
    """What the wizard offers to try. `oauth`: the provider at which one signs in, if any; `known`: no need to look."""

    username: str
    imap_host: str
    imap_port: str
    imap_security: str
    smtp_host: str
    smtp_port: str
    smtp_security: str
    hint: str
    source: str
    known: bool
    oauth: str
    provider: str


class CheckView(TypedDict):
    server: str
    where: str
    ok: bool
    reason: str
    remedy: str
    server_words: str


class FolderView(TypedDict):
    """A folder in the account's page.

    `state` is one line about it: words, then the moment `at` (ISO; empty: none), then `rest`. `why` says what is not
    complete, and what to do; `again_at`, when it is tried again.
    """

    field: str
    title: str
    chosen: bool
    fixed: bool
    holds: str
    state: str
    at: str
    rest: str
    tone: str
    why: str
    again_at: str
    server_words: str


class AsideView(TypedDict):
    """Mail that could not be taken, counted by folder and reason."""

    text: str
    at: str


NO_SERVERS = ServersView(
    username="", imap_host="", imap_port="993", imap_security="tls", smtp_host="", smtp_port="465",
    smtp_security="tls", hint="", source="", known=False, oauth="", provider="",
)  # fmt: skip
SOURCE_WORDS = {
    "known": "We know this provider.",
    "srv": "The domain names its servers.",
    "autoconfig": "The provider describes its servers.",
    "mx": "Found by where the domain's mail goes.",
    "guess": "These are guesses: check them.",
}
PROVIDERS = {"google": "Google", "microsoft": "Microsoft"}
HISTORY = (
    ("week", "The last week"),
    ("month", "The last month"),
    ("three_months", "The last three months"),
    ("year", "The last year"),
    ("everything", "Everything"),
)
DONE_TO = (
    ("archive", "To the archive folder"),
    ("done", "To a folder called Done"),
    ("stay", "Nowhere: it stays in the inbox"),
)
SIGNED_IN = {
    "declined": "Nothing was connected: the permission was not given. Begin again whenever you like.",
    "expired": "This sign-in has run out or was used already. Begin again.",
    "another_person": "This sign-in was begun by somebody else, or in another browser. Begin it here.",
    "provider_refused": "The provider did not accept the sign-in. Begin again.",
    "provider_unavailable": "The provider could not be asked just now. Try again in a minute.",
    "misconfigured": "The provider does not recognise this installation. Tell whoever runs Tandem: client id, secret "
    "and redirect address in its settings must be those registered there.",
    "receiving_refused": "You signed in, but the receiving server did not let us in with it. Sign in as the person "
    "whom this address belongs to, and check that IMAP is switched on.",
    "sending_refused": "You signed in, but the sending server did not let us in with it. Check that sending by SMTP is "
    "switched on for this account.",
    "not_tried": "The servers could not be tried just now. Try again in a minute.",
}
"""How signing in at a provider went, by what the callback tells."""


def servers_view(found: FoundServers) -> ServersView:
    """Servers that an address probably has."""
    known = found.source == "known" and not found.confirm
    return _servers(found, hint=_hint(found), source=SOURCE_WORDS[found.source], known=known, oauth=found.oauth or "")


def servers_in_use(stored: AccountSettings) -> ServersView:
    """The servers of an account that is connected."""
    oauth = stored.sign_in.partition(":")[2]
    return _servers(stored, hint="", source="These are the servers in use.", known=True, oauth=oauth)


def _servers(of: FoundServers | AccountSettings, *, hint: str, source: str, known: bool, oauth: str) -> ServersView:
    return ServersView(
        username=of.username,
        imap_host=of.imap.host,
        imap_port=str(of.imap.port),
        imap_security=of.imap.security,
        smtp_host=of.smtp.host,
        smtp_port=str(of.smtp.port),
        smtp_security=of.smtp.security,
        hint=hint,
        source=source,
        known=known,
        oauth=oauth,
        provider=PROVIDERS.get(oauth, ""),
    )


def _hint(found: FoundServers) -> str:
    """What to know beforehand. Where one has to sign in elsewhere and cannot, who can mend that."""
    if found.oauth:
        return ""
    if found.sign_in == "oauth":
        return f"{found.hint} That is not set up in this installation yet: ask whoever runs it.".strip()
    return found.hint


def no_servers(username: str) -> ServersView:
    return ServersView(**{**NO_SERVERS, "username": username})


def wanted_account(address: str, form: dict[str, Any]) -> ConnectAccount:
    """What the wizard's form says. Raises ValueError for a port that is none."""

    def server(name: str) -> ServerAddress:
        port = int(str(form.get(f"{name}_port", "")).strip())
        if not 1 <= port <= 65535:
            raise ValueError(port)
        return msgspec.convert(
            {"host": str(form.get(f"{name}_host", "")).strip(), "port": port, "security": form.get(f"{name}_security")},
            ServerAddress,
        )

    return ConnectAccount(
        address=address,
        username=str(form.get("username", "")).strip(),
        password=str(form.get("password", "")),
        imap=server("imap"),
        smtp=server("smtp"),
        begin=False,
    )


def check_view(check: ServerCheck, wanted: ConnectAccount) -> CheckView:
    server = wanted.imap if check.server == "imap" else wanted.smtp
    return CheckView(
        server="Receiving" if check.server == "imap" else "Sending",
        where=f"{server.host}, port {server.port}",
        ok=check.ok,
        reason=check.reason,
        remedy=check.remedy,
        server_words=check.server_words,
    )


def folder_views(plan: AccountPlan) -> list[FolderView]:
    return [_folder(number, each) for number, each in enumerate(plan.folders)]


def _folder(number: int, folder: FolderPlan) -> FolderView:
    state, at, rest, tone = _state(folder)
    refused = folder.refused if folder.state == "refused" else None
    return FolderView(
        field=f"folder-{number}",
        title="Inbox" if folder.role == "inbox" else folder.title,
        chosen=folder.chosen,
        fixed=folder.role == "inbox",
        holds=holds(folder.messages, folder.bytes),
        state=state,
        at=at,
        rest=rest,
        tone=tone,
        why=_why(folder),
        again_at=_iso(refused.again_at) if refused else "",
        server_words=refused.server_words if refused else "",
    )


def _state(folder: FolderPlan) -> tuple[str, str, str, str]:
    """Words, the moment that they speak of, further words, and their tone."""
    at = _iso(folder.complete_at)
    match folder.state:
        case "not_chosen":
            return "Not fetched: not chosen", "", "", ""
        case "gathers":
            return "Shows mail of other folders", "", "", ""
        case "refused":
            return "Refused by the server", "", "", "amber"
        case "waiting":
            return "Waiting for its turn", "", "", ""
        case "arriving":
            return f"{messages(folder.here)} here, older mail is still arriving", "", "", ""
        case "counting":
            return "Here, not counted yet", "", "", ""
        case "partial":
            return f"{number(folder.stored)} of {messages(folder.wanted)} here, counted", at, "", "amber"
        case "complete":
            return "Complete up to", at, f", {messages(folder.stored)}", "green"


def _why(folder: FolderPlan) -> str:
    """What keeps the folder from being complete, or what the last count did about it."""
    if folder.state == "refused" and folder.refused is not None:
        return f"{folder.refused.reason} {folder.refused.remedy}"
    if folder.state not in ("partial", "complete"):
        return ""
    aside = folder.set_aside or max(0, folder.wanted - folder.stored - folder.missing)
    parts = [f"{number(aside)} set aside, see below."] if aside else []
    if folder.missing:
        parts.append(f"{number(folder.missing)} could not be fetched yet; the next count tries again.")
    return " ".join([*parts, folder.note]).strip()


def aside_view(aside: SetAsideMail) -> AsideView:
    why = "the server does not hand over" if aside.reason == "refused" else "could not be stored"
    what = "1 message" if aside.messages == 1 else f"{number(aside.messages)} messages"
    return AsideView(
        text=f"{what} in {aside.folder} that {why}. Tried again by itself." if aside.reason == "refused"
        else f"{what} in {aside.folder} {why}. Tried again by itself.",
        at=_iso(aside.next_try_at),
    )  # fmt: skip


def holds(count: int | None, size: int | None) -> str:
    """ "12,408 messages, 173.2 MB", as far as the server told."""
    if count is None:
        return ""
    return messages(count) + (f", {size_words(size)}" if size else "")


def messages(count: int) -> str:
    return "1 message" if count == 1 else f"{number(count)} messages"


def number(count: int) -> str:
    return f"{count:,}"


def day(moment: datetime | None) -> str:
    """ "23 November 2026"; empty for none. Plans begin at a day in UTC."""
    return f"{moment.day} {moment:%B %Y}" if moment else ""


def _iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""
