"""Whom and what names in a search mean, among what the asking person may know of."""

from dataclasses import dataclass

from backend.access.asker import Asker
from backend.access.fetch import KNOWS, READS
from backend.contacts.queries import pattern_of
from backend.database.connection import fetch

MOST = 200
"""Things that one name may mean."""

_FITS = "(lower(fold_accents({column})) LIKE {at} || '%' OR lower(fold_accents({column})) LIKE '% ' || {at} || '%')"
"""SQL: one of the words begins so."""


@dataclass(frozen=True, slots=True)
class Somebody:
    """People and teams."""

    user_ids: tuple[int, ...] = ()
    team_ids: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.user_ids or self.team_ids)


@dataclass(frozen=True, slots=True)
class Places:
    """Mailboxes, and folders of mail accounts."""

    mailbox_ids: tuple[int, ...] = ()
    folder_ids: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.mailbox_ids or self.folder_ids)


async def find_somebody(asker: Asker, name: str) -> Somebody:
    """Colleagues and teams that are called so; `me` is who asks. Exactly so first, else with a word that begins so."""
    if name.lower() == "me":
        return Somebody((asker.user_id,))
    folded = "lower(fold_accents($1))"
    records = await fetch(
        f"SELECT kind, id, exact FROM (SELECT 'user' AS kind, id, lower(fold_accents(name)) = lower(fold_accents($2)) "
        f"OR email = lower($2) AS exact, name, email FROM users UNION ALL SELECT 'team', id, "
        "lower(fold_accents(name)) = lower(fold_accents($2)), name, '' FROM teams) every "
        f"WHERE {_FITS.format(column='name', at=folded)} OR email LIKE {folded} || '%' ORDER BY kind, id LIMIT {MOST}",
        pattern_of(name),
        name,
    )
    chosen = [record for record in records if record["exact"]] or records
    return Somebody(
        tuple(record["id"] for record in chosen if record["kind"] == "user"),
        tuple(record["id"] for record in chosen if record["kind"] == "team"),
    )


async def find_tags(name: str) -> tuple[int, ...]:
    """Tags that are called so; everybody knows all of them."""
    records = await fetch(
        "SELECT id, lower(fold_accents(name)) = lower(fold_accents($2)) AS exact FROM tags "
        f"WHERE {_FITS.format(column='name', at='lower(fold_accents($1))')} ORDER BY id LIMIT {MOST}",
        pattern_of(name),
        name,
    )
    return tuple(record["id"] for record in ([each for each in records if each["exact"]] or records))


async def find_places(asker: Asker, name: str) -> Places:
    """Mailboxes that the person can open and folders of those, called so; a mailbox also by its address."""
    readable = READS.format(mailbox="b.id", user="$3")
    records = await fetch(
        "SELECT kind, id, lower(fold_accents(name)) = lower(fold_accents($2)) OR other = lower($2) AS exact FROM ("
        f"SELECT 'mailbox' AS kind, b.id, b.name, lower(b.address) AS other FROM mailboxes b WHERE {readable} "
        "UNION ALL SELECT 'folder', f.id, coalesce(nullif(f.title, ''), f.name), lower(f.name) FROM folders f "
        f"JOIN mail_accounts a ON a.id = f.account_id JOIN mailboxes b ON b.id = a.mailbox_id WHERE {readable}) every "
        f"WHERE {_FITS.format(column='name', at='lower(fold_accents($1))')} OR other LIKE lower($1) || '%' "
        f"ORDER BY kind, id LIMIT {MOST}",
        pattern_of(name),
        name,
        asker.user_id,
    )
    chosen = [record for record in records if record["exact"]] or records
    return Places(
        tuple(record["id"] for record in chosen if record["kind"] == "mailbox"),
        tuple(record["id"] for record in chosen if record["kind"] == "folder"),
    )


async def find_addresses(asker: Asker, name: str) -> list[str]:
    """Addresses of contacts that are called so, of those that the person may know of."""
    records = await fetch(
        "SELECT a.address FROM contacts k JOIN contact_addresses a ON a.contact_id = k.id "
        "WHERE fold_accents(lower(k.name || ' ' || k.company)) LIKE '%' || fold_accents(lower($2)) || '%' "
        f"AND {KNOWS.format(user='$1')} ORDER BY a.id LIMIT {MOST}",
        asker.user_id,
        pattern_of(name),
    )
    return [record["address"].lower() for record in records]
