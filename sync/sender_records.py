"""What the DNS of a domain says about mail that is from it: SPF (RFC 7208), DKIM (RFC 6376) and DMARC (RFC 7489).

Receivers look at these three before they believe a From. Each is told in plain words, with the record to add where one
is missing. Nothing here fails: what could not be asked is `unknown`, which says nothing about the domain.

The name of a DKIM key is the signing server's choice and nowhere listed. So the usual ones are asked, those of the
provider first; and whether there is any key at all is told by `_domainkey` itself, which does not exist where nothing
lies below it (RFC 8020).
"""

import asyncio
import ipaddress
import re
from collections.abc import Awaitable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import dns.asyncresolver
import dns.exception
import dns.resolver

from sync.providers import provider_of_submission

Kind = Literal["spf", "dkim", "dmarc"]
State = Literal["good", "weak", "wrong", "missing", "unknown"]

LOOKUP_SECONDS = 4.0
MOST_SPF_LOOKUPS = 10
"""Of RFC 7208, section 4.6.4: with more, receivers take the record as broken."""

_SPF_OF = {
    "Gmail": "_spf.google.com",
    "Microsoft 365": "spf.protection.outlook.com",
    "Outlook.com": "spf.protection.outlook.com",
    "Fastmail": "spf.messagingengine.com",
    "iCloud": "icloud.com",
}
_KEYS_OF = {
    "Gmail": ("google",),
    "Microsoft 365": ("selector1", "selector2"),
    "Outlook.com": ("selector1", "selector2"),
    "Fastmail": ("fm1", "fm2", "fm3"),
    "iCloud": ("sig1",),
}
_USUAL_KEYS = ("default", "dkim", "mail", "google", "selector1", "selector2", "s1", "s2", "k1", "key1", "smtp")


class Entry(NamedTuple):
    """A TXT record to add."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One of the three: how it stands in a sentence, what to do, the records that are there, and one to add."""

    kind: Kind
    state: State
    sentence: str
    remedy: str = ""
    records: tuple[str, ...] = ()
    add: Entry | None = None


class CouldNotAsk(Exception):
    """No name server answered."""


@dataclass
class _Asking:
    """What is asked, each name once."""

    resolver: dns.asyncresolver.Resolver
    known: dict[str, list[str]] = field(default_factory=dict)

    async def texts(self, name: str) -> list[str]:
        """The TXT records of a name; none where it does not exist. Raises CouldNotAsk."""
        if name not in self.known:
            self.known[name] = await self._texts(name)
        return self.known[name]

    async def _texts(self, name: str) -> list[str]:
        try:
            answer = await self.resolver.resolve(name, "TXT", lifetime=LOOKUP_SECONDS, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError, ValueError) as fault:
            raise CouldNotAsk(name) from fault
        return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]

    async def exists(self, name: str) -> bool:
        """Whether the name, or any below it, is there."""
        try:
            await self.resolver.resolve(name, "TXT", lifetime=LOOKUP_SECONDS, search=False)
        except dns.resolver.NXDOMAIN:
            return False
        except dns.resolver.NoAnswer:
            return True
        except (dns.exception.DNSException, OSError, ValueError) as fault:
            raise CouldNotAsk(name) from fault
        return True


async def look_up(domain: str, servers: Collection[str], resolver: dns.asyncresolver.Resolver) -> list[Finding]:
    """SPF, DKIM and DMARC of a domain whose mail leaves through these servers."""
    asking = _Asking(resolver)
    return list(
        await asyncio.gather(
            _or_unknown("spf", _spf(asking, domain, sorted(servers))),
            _or_unknown("dkim", _dkim(asking, domain, sorted(servers))),
            _or_unknown("dmarc", _dmarc(asking, domain)),
        )
    )


def not_asked(sentence: str, remedy: str) -> list[Finding]:
    """The three where nobody was asked."""
    return [Finding(kind, "unknown", sentence, remedy) for kind in ("spf", "dkim", "dmarc")]


async def _or_unknown(kind: Kind, finding: Awaitable[Finding]) -> Finding:
    try:
        return await finding
    except CouldNotAsk:
        return Finding(
            kind, "unknown", "This could not be asked: no name server answered.", "It is asked again tomorrow."
        )


async def _spf(asking: _Asking, domain: str, servers: Sequence[str]) -> Finding:
    records = [text for text in await asking.texts(domain) if _is_spf(text)]
    wanted = _senders(servers)
    if not records:
        return Finding(
            "spf", "missing", "No SPF record says which servers may send for this domain.",
            "Add this one. If other servers send for the domain too, name them in it.",
            add=Entry(domain, " ".join(("v=spf1", *wanted, "~all"))),
        )  # fmt: skip
    if len(records) > 1:
        return Finding(
            "spf", "wrong", f"There are {len(records)} SPF records; receivers take that as an error.",
            "Join them into one and remove the others.", tuple(records),
        )  # fmt: skip
    [record] = records
    named, lookups, end = await _walk(asking, record)
    absent = [each for each in wanted if each.startswith("include:") and each[8:] not in named]
    if lookups > MOST_SPF_LOOKUPS:
        return Finding(
            "spf", "wrong", "Reading the SPF record takes more than 10 questions, and receivers stop there.",
            "Take out what does not send for you any more.", (record,),
        )  # fmt: skip
    if absent:
        return Finding(
            "spf", "wrong", f"The SPF record does not name {_and(absent)}, through which mail of this domain leaves.",
            "Put this record in the place of the one that is there.", (record,),
            Entry(domain, _with(record, absent)),
        )  # fmt: skip
    if end in ("+all", "all"):
        return Finding(
            "spf", "wrong", "The SPF record lets every server of the world send for this domain.",
            "End it with ~all instead.", (record,), Entry(domain, re.sub(r"\s\+?all\b", " ~all", record)),
        )  # fmt: skip
    if end in ("?all", ""):
        return Finding(
            "spf", "weak", "The SPF record names servers, but says nothing about all others.",
            "End it with ~all.", (record,), Entry(domain, f"{re.sub(r'[ ]+[?]all', '', record)} ~all"),
        )  # fmt: skip
    return Finding("spf", "good", "An SPF record says which servers may send for this domain.", "", (record,))


def _is_spf(text: str) -> bool:
    return text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")


def _senders(servers: Sequence[str]) -> list[str]:
    """What an SPF record should name for these servers. Of a provider whose record is not known here, nothing."""
    terms = []
    for host in servers:
        provider = provider_of_submission(host)
        if provider is None:
            terms += _own(host)
        elif provider.name in _SPF_OF:
            terms.append(f"include:{_SPF_OF[provider.name]}")
    return list(dict.fromkeys(terms)) or ["mx"]


def _own(host: str) -> list[str]:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return [f"a:{host}"] if "." in host else []
    return [f"ip{address.version}:{address}"] if address.is_global else []


async def _walk(asking: _Asking, record: str) -> tuple[set[str], int, str]:
    """The records that one includes, near and far; how many questions that takes; and how it ends."""
    named: set[str] = set()
    lookups = 0
    end = ""
    waiting = [(record, True)]
    while waiting and lookups <= MOST_SPF_LOOKUPS:
        text, first = waiting.pop(0)
        for term in text.lower().split()[1:]:
            bare = term.lstrip("+-~?")
            target = bare.removeprefix("include:").removeprefix("redirect=")
            if bare == "all":
                end = term if first else end
            elif bare.split(":")[0].split("/")[0] in ("a", "mx", "ptr", "exists"):
                lookups += 1
            elif target != bare:
                lookups += 1
                named.add(target)
                if "%" not in target:
                    follows = first and bare.startswith("redirect=")
                    waiting += [(each, follows) for each in await asking.texts(target) if _is_spf(each)]
    return named, lookups, end


def _with(record: str, terms: Sequence[str]) -> str:
    """The record with these terms before its end."""
    words = record.split()
    ends = [word.lstrip("+-~?").lower() == "all" or "redirect=" in word for word in words]
    last = ends.index(True) if True in ends else None
    return " ".join([*words[:last], *terms, *(words[last:] if last is not None else ["~all"])])


async def _dkim(asking: _Asking, domain: str, servers: Sequence[str]) -> Finding:
    providers = [provider.name for host in servers if (provider := provider_of_submission(host)) is not None]
    names = list(dict.fromkeys([*(key for each in providers for key in _KEYS_OF.get(each, ())), *_USUAL_KEYS]))
    texts = await asyncio.gather(*(asking.texts(f"{name}._domainkey.{domain}") for name in names))
    found = {name: text for name, all_ in zip(names, texts, strict=True) for text in all_ if _key_of(text) is not None}
    usable = {name: text for name, text in found.items() if _key_of(text)}
    where = f"Your mail server or provider makes the key and shows the record; it belongs to NAME._domainkey.{domain}."
    if usable and all("y" in _tag(text, "t").split(":") for text in usable.values()):
        return Finding(
            "dkim", "weak", "The DKIM key says that it is only being tried out.",
            "Take t=y out of it once your server signs.", tuple(usable.values()),
        )  # fmt: skip
    if usable:
        said = f"There is a DKIM key, under the name {next(iter(usable))}."
        return Finding("dkim", "good", said, "", tuple(usable.values()))
    if found:
        return Finding("dkim", "wrong", "The DKIM key of this domain was withdrawn.", where, tuple(found.values()))
    if await asking.exists(f"_domainkey.{domain}"):
        return Finding(
            "dkim", "unknown", "There is a DKIM key, under a name that cannot be guessed.",
            "Look into a mail that arrived: its DKIM-Signature names the key after s=.",
        )  # fmt: skip
    return Finding("dkim", "missing", "No DKIM key is there, so that nobody can check who signed a mail.", where)


def _tag(text: str, name: str) -> str:
    """A tag of a DKIM or DMARC record; empty where it is not there."""
    for part in text.split(";"):
        key, _, value = part.partition("=")
        if key.strip().lower() == name:
            return "".join(value.split())
    return ""


def _key_of(text: str) -> str | None:
    """The key in a DKIM record: empty for one that was withdrawn, None where this is no such record."""
    if re.search(r"(^|;)\s*p\s*=", text) is None or _tag(text, "v").upper() not in ("", "DKIM1"):
        return None
    return _tag(text, "p")


async def _dmarc(asking: _Asking, domain: str) -> Finding:
    labels = domain.split(".")
    for depth in range(max(1, len(labels) - 1)):
        owner = ".".join(labels[depth:])
        records = [text for text in await asking.texts(f"_dmarc.{owner}") if _tag(text, "v").upper() == "DMARC1"]
        if records:
            return _dmarc_of(owner, records, above=depth > 0)
    return Finding(
        "dmarc", "missing", "No DMARC record says what to do with mail that only pretends to be from this domain.",
        "Add this one. It watches first: once SPF and DKIM are good, change none to quarantine.",
        add=Entry(f"_dmarc.{domain}", f"v=DMARC1; p=none; rua=mailto:postmaster@{domain}"),
    )  # fmt: skip


def _dmarc_of(owner: str, records: list[str], *, above: bool) -> Finding:
    if len(records) > 1:
        return Finding(
            "dmarc", "wrong", f"There are {len(records)} DMARC records; receivers then take none of them.",
            "Keep one.", tuple(records),
        )  # fmt: skip
    policy = ((_tag(records[0], "sp") if above else "") or _tag(records[0], "p")).lower()
    if policy == "none":
        return Finding(
            "dmarc", "weak", "The DMARC record only watches: mail that pretends to be from this domain is let through.",
            "Once SPF and DKIM are good, change p=none to p=quarantine.", tuple(records),
        )  # fmt: skip
    if policy not in ("quarantine", "reject"):
        return Finding(
            "dmarc", "wrong", "The DMARC record does not say what to do.", "Give it p=none, p=quarantine or p=reject.",
            tuple(records),
        )  # fmt: skip
    doing = "is refused" if policy == "reject" else "goes to spam"
    of = f"The DMARC record of {owner}" if above else "The DMARC record"
    return Finding(
        "dmarc", "good", f"{of} says that mail which only pretends to be from here {doing}.", "", tuple(records)
    )


def _and(terms: Sequence[str]) -> str:
    return " and ".join(term.removeprefix("include:").removeprefix("a:") for term in terms)
