"""Templates that somebody may use."""

from backend.access.asker import Asker
from backend.database.connection import Row, fetch, fetch_row
from backend.errors import NotFound
from backend.people.shared_with import uses
from backend.templates.contracts import Template
from backend.templates.language import fields_in

USES = uses("t")
"""SQL: the template `t` is the person's own, or shared with them."""

LONGEST_QUERY = 200


def template_of(record: Row, *, whole: bool = True) -> Template:
    """With its HTML if it is `whole`."""
    return Template(
        id=record["id"],
        kind=record["kind"],
        name=record["name"],
        folder=record["folder"],
        maker_id=record["maker_id"],
        shared=record["shared"],
        team_id=record["team_id"],
        subject=record["subject"],
        text=record["text"],
        fields=list(dict.fromkeys([*fields_in(record["subject"]), *fields_in(record["text"])])),
        uses=record["uses"],
        last_used_at=record["last_used_at"],
        version=record["version"],
        updated_at=record["updated_at"],
        formatted=record["html"] is not None,
        html=record["html"] if whole else None,
    )


async def list_templates(asker: Asker, *, q: str = "") -> list[Template]:
    """Those that the person can use, by folder and name; with `q`, where all its words stand in name, folder, subject
    or text, the most used first."""
    words = q.replace("\x00", " ").lower()[:LONGEST_QUERY].split()
    records = await fetch(
        f"SELECT t.* FROM templates t WHERE {USES} AND NOT EXISTS (SELECT 1 FROM unnest($2::text[]) AS w(word) "
        "WHERE position(fold_accents(w.word) in "
        "fold_accents(lower(t.name || ' ' || t.folder || ' ' || t.subject || ' ' || t.text))) = 0) "
        "ORDER BY CASE WHEN cardinality($2::text[]) > 0 THEN -t.uses ELSE 0 END, lower(t.folder), lower(t.name), t.id",
        asker.user_id,
        words,
    )
    return [template_of(record, whole=False) for record in records]


async def access_template(asker: Asker, template_id: int) -> Row:
    """The row of a template that the person can use. Raises NotFound."""
    record = await fetch_row(f"SELECT t.* FROM templates t WHERE t.id = $2 AND {USES}", asker.user_id, template_id)
    if record is None:
        raise NotFound("There is no such template.", "It may have been deleted, or is no longer shared with you.")
    return record
