"""Which servers an address probably has."""

from backend.accounts.contracts import FoundServers, ServerAddress
from backend.errors import Unacceptable
from backend.settings import settings
from sync.discovery import ServerGuess, discover

LONGEST_ADDRESS = 254


async def find_servers(address: str) -> list[FoundServers]:
    """Servers to try for the address, best first; asked over the network only where the settings allow it.

    Raises Unacceptable when it is no mail address.
    """
    try:
        if len(address) > LONGEST_ADDRESS:
            raise ValueError("too long")
        guesses = await discover(
            address,
            network=settings().network,
            private_network=settings().allow_private_servers,
            dns_server=settings().dns_server,
        )
    except ValueError as fault:
        sentence = "This is not a mail address."
        raise Unacceptable(sentence, "Type it as in anna@example.org.", fields={"address": sentence}) from fault
    return [_found(guess) for guess in guesses]


def _found(guess: ServerGuess) -> FoundServers:
    hint = guess.hint
    if guess.confirm and not hint:
        hint = f"{guess.imap.host} belongs to another domain. Go on only if you know that your mail is kept there."
    return FoundServers(
        source="known" if guess.source == "provider" else guess.source,
        imap=ServerAddress(host=guess.imap.host, port=guess.imap.port, security=guess.imap.security),
        smtp=ServerAddress(host=guess.smtp.host, port=guess.smtp.port, security=guess.smtp.security),
        username=guess.imap_username,
        smtp_username=guess.smtp_username,
        hint=hint,
        provider=guess.provider,
        sign_in=guess.sign_in,
        confirm=guess.confirm,
        oauth=guess.oauth if guess.oauth in settings().oauth else None,
    )
