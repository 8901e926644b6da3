"""The DNS of the domains that mail is from: looked up once a day, and when an admin asks."""

import asyncio
import logging

import asyncpg
import dns.exception

from backend.database.connection import end_if_cancelled, fetch_value
from backend.sending_domains.actions import note_domains, write_found
from backend.sending_domains.contracts import DnsRecord, DomainRecord
from backend.sending_domains.queries import domains_to_look_up, servers_of
from backend.settings import Settings, settings
from sync.resolver import resolver_at
from sync.sender_records import Finding, look_up, not_asked

log = logging.getLogger(__name__)

EVERY_SECONDS = 300.0


async def look_up_domains() -> None:
    """The job, and what every worker does now and then. That two do it at once does no harm."""
    for domain in await domains_to_look_up():
        begun = await fetch_value("SELECT clock_timestamp()")
        findings = await _look_up(domain["name"], await servers_of(domain["name"]), settings())
        await write_found(domain["id"], [_record(each) for each in findings], begun)


async def _look_up(name: str, servers: list[str], configured: Settings) -> list[Finding]:
    if not configured.network:
        return not_asked("This was not asked: Tandem is set to look up nothing.", "TANDEM_NETWORK says so.")
    try:
        resolver = resolver_at(configured.dns_server)
    except dns.exception.DNSException:
        return not_asked("This could not be asked: this machine names no name server.", "TANDEM_DNS_SERVER can.")
    return await look_up(name, servers, resolver)


def _record(finding: Finding) -> DomainRecord:
    return DomainRecord(
        kind=finding.kind,
        state=finding.state,
        sentence=finding.sentence,
        remedy=finding.remedy,
        records=list(finding.records),
        add=DnsRecord(name=finding.add.name, value=finding.add.value) if finding.add else None,
    )


async def keep_looking_up() -> None:
    """Look up what is due until cancelled."""
    while True:
        try:
            await note_domains()
            await look_up_domains()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as fault:
            end_if_cancelled()
            log.warning("The domains that mail is from were not looked up (%s); trying again.", type(fault).__name__)
        await asyncio.sleep(EVERY_SECONDS)
