"""Providers that put their account's own address into From, whatever stands there: Gmail and those of Microsoft."""

from sync.providers import provider_of_submission


def forcing_provider(host: str) -> str:
    """The name of the provider that does so at this SMTP server; empty for any other."""
    provider = provider_of_submission(host)
    return provider.name if provider is not None and provider.forces_from else ""


def forced_from(host: str, username: str) -> str:
    """The address that mail through this server is from; empty where any may stand there."""
    return username.lower() if "@" in username and forcing_provider(host) else ""
