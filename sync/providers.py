"""Mail providers whose servers are known: by the domain of an address, or by where the domain's mail goes (MX)."""

from dataclasses import dataclass
from typing import Literal

from sync.oauth import OAuthProvider
from sync.types import Security

SignIn = Literal["password", "app_password", "oauth"]
UserName = Literal["address", "local_part"]


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a server listens, and how it is protected."""

    host: str
    port: int
    security: Security


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider: servers, way of signing in, and what a person has to know beforehand."""

    name: str
    imap: ServerAddress
    smtp: ServerAddress
    domains: tuple[str, ...] = ()
    mx: tuple[str, ...] = ()
    sign_in: SignIn = "password"
    hint: str = ""
    imap_user: UserName = "address"
    oauth: OAuthProvider | None = None
    """Where people of this provider sign in for OAuth 2, as sync/oauth.py calls it."""
    files_sent: bool = False
    """Whether it files a copy of what it is handed by SMTP in the Sent folder by itself, within moments."""
    forces_from: bool = False
    """Whether it puts the address that one signs in with into From, whatever stands there."""


def _imap(host: str) -> ServerAddress:
    return ServerAddress(host, 993, "tls")


def _tls(host: str) -> ServerAddress:
    return ServerAddress(host, 465, "tls")


def _starttls(host: str) -> ServerAddress:
    return ServerAddress(host, 587, "starttls")


_APP = "Create an app password in the security settings of {name}, and enter it here instead of your usual one."
_SWITCH_ON = "Switch on IMAP in the settings of {name} first: it is off in new accounts."
_OAUTH = "{name} accepts no passwords from mail programs: the account is connected by signing in there (OAuth 2)."

PROVIDERS: tuple[Provider, ...] = (
    Provider(
        "Gmail",
        _imap("imap.gmail.com"),
        _tls("smtp.gmail.com"),
        domains=("gmail.com", "googlemail.com"),
        mx=("google.com", "googlemail.com"),
        sign_in="app_password",
        hint=_APP + " Two-step verification must be on.",
        oauth="google",
        files_sent=True,
        forces_from=True,
    ),
    Provider(
        "Outlook.com",
        _imap("outlook.office365.com"),
        _starttls("smtp-mail.outlook.com"),
        domains=(
            "outlook.com", "outlook.de", "outlook.fr", "outlook.es", "outlook.it", "hotmail.com", "hotmail.de",
            "hotmail.fr", "hotmail.it", "hotmail.es", "hotmail.co.uk", "live.com", "live.de", "live.fr", "live.nl",
            "live.co.uk", "msn.com",
        ),
        mx=("olc.protection.outlook.com",),
        sign_in="oauth",
        hint=_OAUTH,
        oauth="microsoft",
        files_sent=True,
        forces_from=True,
    ),
    Provider(
        "Microsoft 365",
        _imap("outlook.office365.com"),
        _starttls("smtp.office365.com"),
        mx=("mail.protection.outlook.com", "mx.microsoft"),
        sign_in="oauth",
        hint=_OAUTH,
        oauth="microsoft",
        files_sent=True,
        forces_from=True,
    ),
    Provider(
        "Yahoo",
        _imap("imap.mail.yahoo.com"),
        _tls("smtp.mail.yahoo.com"),
        domains=(
            "yahoo.com", "yahoo.de", "yahoo.fr", "yahoo.es", "yahoo.it", "yahoo.co.uk", "yahoo.ca", "yahoo.com.br",
            "yahoo.co.in", "ymail.com", "rocketmail.com",
        ),
        mx=("yahoodns.net",),
        sign_in="app_password",
        hint=_APP,
    ),
    Provider(
        "AOL",
        _imap("imap.aol.com"),
        _tls("smtp.aol.com"),
        domains=("aol.com", "aol.de", "aol.fr", "aol.co.uk", "aim.com"),
        sign_in="app_password",
        hint=_APP,
    ),
    Provider(
        "iCloud",
        _imap("imap.mail.me.com"),
        _starttls("smtp.mail.me.com"),
        domains=("icloud.com", "me.com", "mac.com"),
        mx=("icloud.com",),
        sign_in="app_password",
        hint=_APP,
        imap_user="local_part",
    ),
    Provider(
        "Fastmail",
        _imap("imap.fastmail.com"),
        _tls("smtp.fastmail.com"),
        domains=("fastmail.com", "fastmail.fm", "fastmail.net", "fastmail.org", "sent.com", "messagingengine.com"),
        mx=("messagingengine.com",),
        sign_in="app_password",
        hint=_APP,
    ),
    Provider(
        "GMX",
        _imap("imap.gmx.net"),
        _tls("mail.gmx.net"),
        domains=("gmx.de", "gmx.net", "gmx.at", "gmx.ch", "gmx.eu", "gmx.info", "gmx.org"),
        hint=_SWITCH_ON,
    ),
    Provider(
        "GMX.com",
        _imap("imap.gmx.com"),
        _tls("mail.gmx.com"),
        domains=("gmx.com", "gmx.us", "gmx.co.uk", "gmx.fr", "gmx.es"),
        hint=_SWITCH_ON,
    ),
    Provider(
        "WEB.DE", _imap("imap.web.de"), _starttls("smtp.web.de"), domains=("web.de", "email.de"), hint=_SWITCH_ON
    ),
    Provider("mail.com", _imap("imap.mail.com"), _starttls("smtp.mail.com"), domains=("mail.com", "email.com")),
    Provider(
        "T-Online",
        _imap("secureimap.t-online.de"),
        _tls("securesmtp.t-online.de"),
        domains=("t-online.de", "magenta.de"),
        hint="{name} has a password of its own for mail programs: it is set in the customer centre.",
    ),
    Provider("freenet", _imap("mx.freenet.de"), _starttls("mx.freenet.de"), domains=("freenet.de",)),
    Provider(
        "Zoho Mail",
        _imap("imap.zoho.com"),
        _tls("smtp.zoho.com"),
        domains=("zoho.com", "zohomail.com"),
        hint=_SWITCH_ON,
    ),
    Provider(
        "Zoho Mail", _imap("imap.zoho.eu"), _tls("smtp.zoho.eu"), domains=("zoho.eu", "zohomail.eu"), hint=_SWITCH_ON
    ),
    Provider(
        "Zoho Mail", _imap("imappro.zoho.com"), _tls("smtppro.zoho.com"), mx=("zoho.com",), hint=_SWITCH_ON
    ),
    Provider("Zoho Mail", _imap("imappro.zoho.eu"), _tls("smtppro.zoho.eu"), mx=("zoho.eu",), hint=_SWITCH_ON),
    Provider(
        "mailbox.org",
        _imap("imap.mailbox.org"),
        _tls("smtp.mailbox.org"),
        domains=("mailbox.org",),
        mx=("mailbox.org",),
    ),
    Provider("Posteo", _imap("posteo.de"), _tls("posteo.de"), domains=("posteo.de", "posteo.net", "posteo.org")),
    Provider("Mailfence", _imap("imap.mailfence.com"), _tls("smtp.mailfence.com"), domains=("mailfence.com",)),
    Provider("Runbox", _imap("mail.runbox.com"), _tls("mail.runbox.com"), domains=("runbox.com",), mx=("runbox.com",)),
    Provider("Migadu", _imap("imap.migadu.com"), _tls("smtp.migadu.com"), mx=("migadu.com",)),
    Provider(
        "Infomaniak",
        _imap("mail.infomaniak.com"),
        _tls("mail.infomaniak.com"),
        domains=("ik.me", "etik.com"),
        mx=("infomaniak.ch", "infomaniak.com"),
    ),
    Provider(
        "Yandex",
        _imap("imap.yandex.com"),
        _tls("smtp.yandex.com"),
        domains=("yandex.com", "yandex.ru", "ya.ru"),
        mx=("yandex.net", "yandex.ru"),
        sign_in="app_password",
        hint=_APP,
    ),
    Provider(
        "Mail.ru",
        _imap("imap.mail.ru"),
        _tls("smtp.mail.ru"),
        domains=("mail.ru", "bk.ru", "inbox.ru", "list.ru"),
        mx=("mail.ru",),
        sign_in="app_password",
        hint=_APP,
    ),
    Provider("Orange", _imap("imap.orange.fr"), _tls("smtp.orange.fr"), domains=("orange.fr", "wanadoo.fr")),
    Provider("Free", _imap("imap.free.fr"), _tls("smtp.free.fr"), domains=("free.fr",)),
    Provider("La Poste", _imap("imap.laposte.net"), _tls("smtp.laposte.net"), domains=("laposte.net",)),
    Provider("Libero", _imap("imapmail.libero.it"), _tls("smtp.libero.it"), domains=("libero.it",)),
    Provider("Bluewin", _imap("imaps.bluewin.ch"), _tls("smtpauths.bluewin.ch"), domains=("bluewin.ch",)),
    Provider("Comcast", _imap("imap.comcast.net"), _tls("smtp.comcast.net"), domains=("comcast.net",)),
    Provider(
        "QQ Mail",
        _imap("imap.qq.com"),
        _tls("smtp.qq.com"),
        domains=("qq.com", "foxmail.com"),
        sign_in="app_password",
        hint="Enter the authorisation code from the settings of {name} as the password.",
    ),
    Provider("IONOS", _imap("imap.ionos.de"), _tls("smtp.ionos.de"), mx=("kundenserver.de", "ionos.de")),
    Provider("IONOS", _imap("imap.ionos.com"), _tls("smtp.ionos.com"), mx=("perfora.net", "ionos.com")),
    Provider("STRATO", _imap("imap.strato.de"), _tls("smtp.strato.de"), mx=("rzone.de",)),
    Provider("OVHcloud", _imap("ssl0.ovh.net"), _tls("ssl0.ovh.net"), mx=("mail.ovh.net",)),
    Provider("Gandi", _imap("mail.gandi.net"), _tls("mail.gandi.net"), mx=("mail.gandi.net",)),
    Provider("Private Email", _imap("mail.privateemail.com"), _tls("mail.privateemail.com"), mx=("privateemail.com",)),
    Provider("Rackspace", _imap("secure.emailsrvr.com"), _tls("secure.emailsrvr.com"), mx=("emailsrvr.com",)),
)  # fmt: skip

_BY_DOMAIN = {domain: provider for provider in PROVIDERS for domain in provider.domains}


def provider_of_domain(domain: str) -> Provider | None:
    """The provider that gives out addresses of this domain."""
    return _BY_DOMAIN.get(domain.lower())


def provider_of_server(host: str) -> Provider | None:
    """The provider whose IMAP server this is."""
    return next((provider for provider in PROVIDERS if provider.imap.host == host), None)


_ALSO_SMTP = {
    "smtp.googlemail.com": "Gmail",
    "smtp.live.com": "Outlook.com",
    "smtp.hotmail.com": "Outlook.com",
    "outlook.office365.com": "Microsoft 365",
    "smtp.outlook.com": "Microsoft 365",
}
"""Further names of submission servers that providers still answer to."""


def provider_of_submission(host: str) -> Provider | None:
    """The provider whose SMTP server this is."""
    named = host.strip().rstrip(".").lower()
    name = _ALSO_SMTP.get(named)
    return next((provider for provider in PROVIDERS if provider.smtp.host == named or provider.name == name), None)


def provider_of_mx(hosts: list[str]) -> Provider | None:
    """The provider behind the servers that a domain's mail goes to; the longest match counts."""
    found: list[tuple[int, Provider]] = []
    for provider in PROVIDERS:
        for suffix in provider.mx:
            if any(host == suffix or host.endswith("." + suffix) for host in hosts):
                found.append((len(suffix), provider))
    return max(found, key=lambda pair: pair[0])[1] if found else None
