"""Documents uploaded, renamed, shared and deleted.

They are fetched when somebody looks for one, so no stream tells of them. A new upload is a new version; what mails
carry or link to is the version of then.
"""

from backend.access.asker import Asker
from backend.database.connection import Row, execute, fetch_row, fetch_value
from backend.documents.contracts import Document, SaveDocument
from backend.documents.queries import access_document, read_document
from backend.errors import Forbidden, TooLarge, Unacceptable
from backend.events.record import action
from backend.mail.keeping import keep_one
from backend.people.audit import audit
from backend.people.checks import LONGEST_NAME, check_folder, check_name
from backend.people.shared_with import check_own_team
from sync.mime.attachments import safe_filename
from sync.mime.characters import clean_line

MOST_DOCUMENTS = 5_000
MOST_VERSIONS = 200
LARGEST_DOCUMENT = 25 * 1024 * 1024


async def add_document(asker: Asker, filename: str, content_type: str, content: bytes, *, folder: str = "") -> Document:
    """A new document for everybody, named as its file. Raises TooLarge and Unacceptable."""
    place = check_folder(folder)
    file = await _kept(filename, content_type, content)
    async with action(asker.user_id):
        if await fetch_value("SELECT count(*) FROM documents") >= MOST_DOCUMENTS:
            raise Unacceptable(f"There are {MOST_DOCUMENTS} documents already.", "Delete some that nobody needs.")
        name = file[0].rpartition(".")[0] or file[0]
        document_id = await fetch_value(
            "INSERT INTO documents (maker_id, name, folder, shared, updated_at) "
            "VALUES ($1, $2, $3, 'everybody', now()) RETURNING id",
            asker.user_id,
            name[:LONGEST_NAME],
            place,
        )
        await _add_version(asker, document_id, 1, file)
    return await read_document(asker, document_id)


async def add_version(asker: Asker, document_id: int, filename: str, content_type: str, content: bytes) -> Document:
    """A newer version; the older ones stay. Raises NotFound, Forbidden, TooLarge, Unacceptable."""
    file = await _kept(filename, content_type, content)
    async with action(asker.user_id):
        await _changeable(asker, document_id)
        number = await fetch_value("SELECT max(number) FROM document_versions WHERE document_id = $1", document_id)
        if number >= MOST_VERSIONS:
            raise Unacceptable(f"This document has {MOST_VERSIONS} versions already.", "Begin a new document.")
        await _add_version(asker, document_id, number + 1, file)
        await execute("UPDATE documents SET updated_at = now() WHERE id = $1", document_id)
    return await read_document(asker, document_id)


async def save_document(asker: Asker, document_id: int, given: SaveDocument) -> Document:
    """Another name or place, or other people who can use it. Raises NotFound, Forbidden, Unacceptable."""
    name, folder = check_name(given.name), check_folder(given.folder)
    async with action(asker.user_id):
        before = await _changeable(asker, document_id)
        team_id = given.team_id if given.shared == "team" else None
        if (given.shared, team_id) != (before["shared"], before["team_id"]):
            await check_own_team(asker, given.shared, given.team_id)
        await execute(
            "UPDATE documents SET name = $2, folder = $3, shared = $4, team_id = $5, updated_at = now() WHERE id = $1",
            document_id,
            name,
            folder,
            given.shared,
            team_id,
        )
    record = await fetch_row("SELECT * FROM documents WHERE id = $1", document_id)
    return await read_document(asker, record["id"] if record else document_id)


async def delete_document(asker: Asker, document_id: int) -> None:
    """Away with all its versions. What mails carry or link to stays theirs. Raises NotFound and Forbidden."""
    async with action(asker.user_id):
        record = await _changeable(asker, document_id)
        await execute("DELETE FROM documents WHERE id = $1", document_id)
        await audit(asker.user_id, "document_deleted", f"document:{document_id}", name=record["name"])


async def _add_version(asker: Asker, document_id: int, number: int, file: tuple[str, str, int, str]) -> None:
    await execute(
        "INSERT INTO document_versions (document_id, number, filename, content_type, size, digest, uploader_id, "
        "uploaded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, now())",
        document_id,
        number,
        *file,
        asker.user_id,
    )


async def _kept(filename: str, content_type: str, content: bytes) -> tuple[str, str, int, str]:
    """The file in the store: its name, type, size and digest."""
    if len(content) > LARGEST_DOCUMENT:
        raise TooLarge("A document has 25 MB at most.", "Make it smaller, or split it.")
    name = safe_filename(clean_line(filename))[:200] or "document"
    kind = clean_line(content_type)[:150].lower() or "application/octet-stream"
    return name, kind, len(content), await keep_one(content)


async def _changeable(asker: Asker, document_id: int) -> Row:
    """One's own, or as an admin one that one may use; locked."""
    record = await access_document(asker, document_id)
    if record["maker_id"] != asker.user_id and not asker.is_admin:
        raise Forbidden("Only who made a document, and admins, change it.", "Ask one of them.")
    locked = await fetch_row("SELECT * FROM documents WHERE id = $1 FOR UPDATE", document_id)
    return locked if locked is not None else await access_document(asker, document_id)
