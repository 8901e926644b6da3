"""From an address to servers that are worth trying, best first.

1. A known provider by the address's domain (sync.providers): nothing else is asked then.
2. Over the network, all at once and within a few seconds: SRV records (RFC 6186; `_submissions` of RFC 8314),
   the domain's own autoconfig file over HTTPS, and its MX records, which give a known provider away.
3. Sensible guesses: imap., mail. and smtp. before the domain, on the usual ports; without names that do not exist.

Whatever DNS or a web server says is only a suggestion: servers outside of the address's own domain are marked
`confirm`, because a forged answer could send a password elsewhere. Names that lead into a private network are not
asked, redirects included, unless `private_network` is set.
"""

import asyncio
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import quote, urljoin, urlsplit
from xml.etree import ElementTree

import dns.asyncresolver
import dns.exception
import dns.rdatatype
import dns.resolver
import httpx

from sync.dial import is_public, tls_context
from sync.oauth import OAuthProvider
from sync.providers import (
    Provider,
    ServerAddress,
    SignIn,
    provider_of_domain,
    provider_of_mx,
    provider_of_server,
)
from sync.resolver import resolver_at
from sync.types import Security

Source = Literal["provider", "srv", "autoconfig", "mx", "guess"]

LOOKUP_SECONDS = 4.0
FETCH_SECONDS = 6.0
LARGEST_FILE = 64 * 1024
"""Bytes of an autoconfig file; real ones have 2 KB."""
REDIRECTS = 3


@dataclass(frozen=True, slots=True)
class ServerGuess:
    """A pair of servers to try, with the user names they expect. `hint` is for the person, before they type on."""

    imap: ServerAddress
    smtp: ServerAddress
    imap_username: str
    smtp_username: str
    source: Source
    provider: str = ""
    sign_in: SignIn = "password"
    hint: str = ""
    confirm: bool = False
    oauth: OAuthProvider | None = None


@dataclass
class Network:
    """How the network is asked. The defaults are the machine's own; tests bring a name server of their own."""

    private_network: bool = False
    resolver: dns.asyncresolver.Resolver = field(default_factory=dns.asyncresolver.Resolver)
    https_port: int = 443
    authority_pem: str | None = None

    async def srv(self, name: str) -> ServerAddress | None:
        """The best SRV target that is offered, without its security. None when there is none."""
        records = await self._ask(name, "SRV")
        offered = sorted(records, key=lambda record: (record.priority, -record.weight))
        for record in offered:
            host = str(record.target).rstrip(".").lower()
            if host:
                return ServerAddress(host, int(record.port), "tls")
        return None

    async def mx(self, domain: str) -> list[str]:
        """The servers that take the domain's mail, best first."""
        records = sorted(await self._ask(domain, "MX"), key=lambda record: record.preference)
        return [str(record.exchange).rstrip(".").lower() for record in records]

    async def addresses(self, host: str) -> list[str]:
        """The IP addresses of a host that may be asked; empty when it does not exist, or is private."""
        try:
            answers = await self.resolver.resolve_name(host, lifetime=LOOKUP_SECONDS)
        except (dns.exception.DNSException, OSError, ValueError):
            return []
        found = list(answers.addresses())
        return found if self.private_network or all(is_public(address) for address in found) else []

    async def fetch(self, url: str) -> bytes | None:
        """A small file over HTTPS; None for whatever goes wrong. Each redirect is checked like the first address."""
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                for _ in range(REDIRECTS + 1):
                    parts = urlsplit(url)
                    if parts.scheme != "https" or not parts.hostname:
                        return None
                    answer = await self._get(parts.hostname, parts.port, url)
                    if answer is None or isinstance(answer, bytes):
                        return answer
                    url = answer
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ssl.SSLError, TimeoutError, ValueError):
            return None
        return None

    async def _get(self, host: str, port: int | None, url: str) -> bytes | str | None:
        """The file, or where it went. The address that was checked is the one that is connected to."""
        addresses = await self.addresses(host)
        if not addresses:
            return None
        address = f"[{addresses[0]}]" if ":" in addresses[0] else addresses[0]
        port = port or self.https_port
        target = httpx.URL(url).copy_with(netloc=f"{address}:{port}".encode())
        headers = {"Host": host, "Accept": "text/xml, application/xml", "Accept-Encoding": "identity"}
        context = tls_context(self.authority_pem)
        async with (
            httpx.AsyncClient(verify=context, trust_env=False, timeout=FETCH_SECONDS) as client,
            client.stream("GET", target, headers=headers, extensions={"sni_hostname": host}) as response,
        ):
            if response.is_redirect:
                return urljoin(url, response.headers.get("location", ""))
            if response.status_code != 200:
                return None
            content = b""
            async for chunk in response.aiter_raw():
                content += chunk
                if len(content) > LARGEST_FILE:
                    return None
            return content

    async def _ask(self, name: str, kind: str) -> list:  # type: ignore[type-arg] - dnspython's records are untyped
        try:
            answer = await self.resolver.resolve(name, kind, lifetime=LOOKUP_SECONDS, search=False)
        except (dns.exception.DNSException, OSError, ValueError):
            return []
        return list(answer)


async def discover(
    address: str,
    *,
    network: bool,
    private_network: bool = False,
    dns_server: tuple[str, int] | None = None,
    asking: Network | None = None,
) -> list[ServerGuess]:
    """Servers to try for an address, best first, each once. Raises ValueError when it is not an address.

    Without `network` nothing is asked: a known provider, or the guesses. `dns_server` is asked in place of the
    machine's own; `asking` replaces how the network is asked.
    """
    local, domain = _split(address)
    address = f"{local}@{domain}"
    known = provider_of_domain(domain)
    if known is not None:
        return [_of_provider(known, address, "provider")]
    if not network:
        return _once(_guesses(address, domain))
    asking = asking or Network(private_network=private_network, resolver=resolver_at(dns_server))
    by_srv, by_file, mx, guesses = await asyncio.gather(
        _by_srv(asking, address, domain),
        _by_autoconfig(asking, address, domain),
        asking.mx(domain),
        _existing(asking, _guesses(address, domain)),
    )
    behind = provider_of_mx(mx)
    by_mx = [_of_provider(behind, address, "mx")] if behind is not None else []
    return _once([*by_srv, *by_file, *by_mx, *guesses])


def parse_autoconfig(content: bytes, address: str) -> list[ServerGuess]:
    """The pairs of servers in an autoconfig file (format 1.1), best first. Empty when it says nothing useful.

    Unprotected servers and POP are passed over. Nothing in the file is expanded (no document types).
    """
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        return []
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, LookupError, ValueError):
        return []
    provider = root.find("emailProvider")
    if provider is None:
        return []
    name = (provider.findtext("displayShortName") or provider.findtext("displayName") or "").strip()[:80]
    incoming = [_of_element(each, address) for each in provider.findall("incomingServer") if each.get("type") == "imap"]
    outgoing = [_of_element(each, address) for each in provider.findall("outgoingServer")]
    readers = [each for each in incoming if each is not None]
    senders = [each for each in outgoing if each is not None]
    if not readers or not senders:
        return []
    sender = senders[0]
    return [
        ServerGuess(
            imap=reader.server,
            smtp=sender.server,
            imap_username=reader.username,
            smtp_username=sender.username,
            source="autoconfig",
            provider=name,
            sign_in="oauth" if reader.oauth_only else "password",
        )
        for reader in readers
    ]


@dataclass(frozen=True, slots=True)
class _Element:
    server: ServerAddress
    username: str
    oauth_only: bool


def _of_element(element: ElementTree.Element, address: str) -> _Element | None:
    """One server of an autoconfig file; None when it is not protected or not complete."""
    kinds: dict[str, Security] = {"SSL": "tls", "STARTTLS": "starttls"}
    security = kinds.get((element.findtext("socketType") or "").strip().upper())
    host = _filled((element.findtext("hostname") or "").strip(), address).lower()
    port = (element.findtext("port") or "").strip()
    if security is None or not _is_host(host) or not port.isdigit() or not 0 < int(port) < 65536:
        return None
    username = _filled((element.findtext("username") or "%EMAILADDRESS%").strip(), address)
    ways = {(each.text or "").strip().lower() for each in element.findall("authentication")}
    return _Element(ServerAddress(host, int(port), security), username, ways == {"oauth2"})


async def _by_srv(asking: Network, address: str, domain: str) -> list[ServerGuess]:
    imaps, imap, submissions, submission = await asyncio.gather(
        *(asking.srv(f"{name}._tcp.{domain}") for name in ("_imaps", "_imap", "_submissions", "_submission"))
    )
    reader = imaps or (replace(imap, security="starttls") if imap else None)
    sender = submissions or (_submission(submission) if submission else None)
    if reader is None or sender is None:
        return []
    return [_known(ServerGuess(reader, sender, address, address, "srv"), domain)]


def _submission(server: ServerAddress) -> ServerAddress:
    """Before RFC 8314, `_submission` was also used for port 465."""
    return server if server.port == 465 else replace(server, security="starttls")


async def _by_autoconfig(asking: Network, address: str, domain: str) -> list[ServerGuess]:
    query = f"?emailaddress={quote(address)}"
    files = await asyncio.gather(
        asking.fetch(f"https://autoconfig.{domain}/mail/config-v1.1.xml{query}"),
        asking.fetch(f"https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml{query}"),
    )
    found = [guess for content in files if content is not None for guess in parse_autoconfig(content, address)]
    return [_known(guess, domain) for guess in found]


def _known(guess: ServerGuess, domain: str) -> ServerGuess:
    """With what is known of the provider whose servers these are; else to be confirmed when they are elsewhere."""
    provider = provider_of_server(guess.imap.host)
    if provider is not None and guess.smtp.host == provider.smtp.host:
        hint = provider.hint.format(name=provider.name)
        return replace(guess, provider=provider.name, sign_in=provider.sign_in, hint=hint, oauth=provider.oauth)
    own = _is_within(guess.imap.host, domain) and _is_within(guess.smtp.host, domain)
    return replace(guess, confirm=not own)


def _guesses(address: str, domain: str) -> list[ServerGuess]:
    pairs: list[tuple[str, int, Security, str, int, Security]] = [
        ("imap", 993, "tls", "smtp", 465, "tls"),
        ("imap", 993, "tls", "smtp", 587, "starttls"),
        ("mail", 993, "tls", "mail", 465, "tls"),
        ("mail", 993, "tls", "mail", 587, "starttls"),
        ("imap", 143, "starttls", "smtp", 587, "starttls"),
        ("mail", 143, "starttls", "mail", 587, "starttls"),
    ]
    return [
        ServerGuess(
            ServerAddress(f"{reader}.{domain}", reader_port, reader_security),
            ServerAddress(f"{sender}.{domain}", sender_port, sender_security),
            address,
            address,
            "guess",
        )
        for reader, reader_port, reader_security, sender, sender_port, sender_security in pairs
    ]


async def _existing(asking: Network, guesses: Sequence[ServerGuess]) -> list[ServerGuess]:
    """The guesses whose names exist; all of them when none does, so that the person sees what was thought of."""
    names = sorted({server.host for guess in guesses for server in (guess.imap, guess.smtp)})
    found = await asyncio.gather(*(asking.addresses(name) for name in names))
    there = {name for name, addresses in zip(names, found, strict=True) if addresses}
    return [each for each in guesses if {each.imap.host, each.smtp.host} <= there] or list(guesses)


def _of_provider(provider: Provider, address: str, source: Source) -> ServerGuess:
    local = address.rpartition("@")[0]
    return ServerGuess(
        imap=provider.imap,
        smtp=provider.smtp,
        imap_username=local if provider.imap_user == "local_part" else address,
        smtp_username=address,
        source=source,
        provider=provider.name,
        sign_in=provider.sign_in,
        hint=provider.hint.format(name=provider.name),
        oauth=provider.oauth,
    )


def _once(guesses: Iterable[ServerGuess]) -> list[ServerGuess]:
    """Each pair of servers once, in the order of first mention."""
    first: dict[tuple[ServerAddress, ServerAddress], ServerGuess] = {}
    for guess in guesses:
        first.setdefault((guess.imap, guess.smtp), guess)
    return list(first.values())


def _split(address: str) -> tuple[str, str]:
    """Local part and domain (in ASCII, small letters)."""
    local, _, domain = address.strip().rpartition("@")
    try:
        ascii_domain = domain.strip(".").encode("idna").decode().lower()
    except UnicodeError as error:
        raise ValueError(f"not a mail address: {address!r}") from error
    if not local or not _is_host(ascii_domain) or any(character.isspace() for character in local):
        raise ValueError(f"not a mail address: {address!r}")
    return local, ascii_domain


def _filled(text: str, address: str) -> str:
    local, _, domain = address.rpartition("@")
    for name, value in (("%EMAILADDRESS%", address), ("%EMAILLOCALPART%", local), ("%EMAILDOMAIN%", domain)):
        text = text.replace(name, value)
    return text


def _is_host(text: str) -> bool:
    labels = text.split(".")
    plain = all(label and all(c.isalnum() or c in "-_" for c in label) for label in labels)
    return len(labels) > 1 and plain and text.isascii() and len(text) <= 253


def _is_within(host: str, domain: str) -> bool:
    return host == domain or host.endswith("." + domain)
