"""When an account proves whose an address is: who signs in for it there has it.

A working sign-in alone proves nothing, for anybody can run a server that lets them in as whoever they say. It counts
where the server belongs to the address's domain (imap.northwind.example for northwind.example), to the provider that
gives out addresses of that domain, or where one signed in at such a provider (OAuth 2).
"""

from backend.outgoing_servers.forcing import provider_of_account


def proves(address: str, username: str, host: str, sign_in: str) -> bool:
    """Whether a working sign-in as `username` at `host` shows that the address is theirs."""
    local, _, domain = address.lower().rpartition("@")
    if username.lower() not in (address.lower(), local) or not domain:
        return False
    if sign_in.startswith("oauth:"):
        return username.lower() == address.lower()
    named = host.lower().rstrip(".")
    if named == domain or named.endswith(f".{domain}"):
        return True
    return username.lower() == address.lower() and provider_of_account(host, domain)
