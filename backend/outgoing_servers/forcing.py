"""What is known of providers: which of them put their account's own address into From, and whose domains are whose."""

from sync.providers import provider_of_domain, provider_of_server, provider_of_submission

_FOR_EVERYBODY = frozenset(
    {"fastmail.com", "free.fr", "hey.com", "mail.com", "mail.ru", "mailbox.org", "naver.com", "posteo.de", "proton.me",
     "protonmail.com", "qq.com", "163.com", "seznam.cz", "tutanota.com", "wp.pl", "zoho.com"}
)  # fmt: skip
"""Domains of providers that the table of servers does not have."""


def forcing_provider(host: str) -> str:
    """The name of the provider that does so at this SMTP server; empty for any other."""
    provider = provider_of_submission(host)
    return provider.name if provider is not None and provider.forces_from else ""


def forced_from(host: str, username: str) -> str:
    """The address that mail through this server is from; empty where any may stand there."""
    return username.lower() if "@" in username and forcing_provider(host) else ""


def is_for_everybody(domain: str) -> bool:
    """Whether anybody can have an address of this domain, so that one of them says nothing about the others."""
    return provider_of_domain(domain) is not None or domain.lower() in _FOR_EVERYBODY


def provider_of_account(imap_host: str, domain: str) -> bool:
    """Whether the IMAP server is that of the provider which gives out addresses of this domain."""
    provider = provider_of_domain(domain)
    return provider is not None and provider_of_server(imap_host) is provider
