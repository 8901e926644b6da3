"""Files that come up in parts: what is confirmed stays, and what does not fit is told before it comes."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backend.app import create_app
from backend.compose.contracts import Draft
from backend.database.connection import execute, fetch_value
from backend.mail import blobs
from backend.mail.collecting import BLOB_REFERENCES
from backend.uploads.actions import LARGEST_PART, SMALLEST_PART, drop_old_uploads
from backend.uploads.contracts import BeginUpload, Upload, Uploads
from tests.servers.api import Api, Caller, Member, environment
from tests.servers.delivery import deliver

STREAM = "application/octet-stream"
CONTENT = bytes(range(256)) * 1024  # four parts of the smallest size


async def begin(who: Caller, draft: Draft, *, size: int = len(CONTENT), **given: object) -> Upload:
    body = {"filename": "bridge.mp4", "size": size, "content_type": "video/mp4", **given}
    return await who.post(f"/drafts/{draft.id}/uploads", body, Upload)


def path_of(draft: Draft, upload: Upload) -> str:
    return f"/drafts/{draft.id}/uploads/{upload.id}"


async def send_part(who: Caller, path: str, offset: int, content: bytes) -> int:
    """Answers the status."""
    headers = {"upload-offset": str(offset), "content-type": STREAM}
    return (await who.request("PATCH", path, content=content, headers=headers)).status_code


async def send_all(who: Caller, path: str, content: bytes = CONTENT, begins: int = 0) -> None:
    for offset in range(begins, len(content), SMALLEST_PART):
        assert await send_part(who, path, offset, content[offset : offset + SMALLEST_PART]) == 200


async def draft_of(who: Member, mailbox_id: int) -> Draft:
    return await who.post("/drafts", {"kind": "new", "mailbox_id": mailbox_id}, Draft)


async def test_parts_are_attached_as_one_file_and_only_once(api: Api) -> None:
    draft = await draft_of(api.ana, api.support)
    path = path_of(draft, await begin(api.ana, draft))
    await send_all(api.ana, path)
    attached = await api.ana.post(f"{path}/attach", None, Draft)
    assert (await api.ana.post(f"{path}/attach", None, Draft)).attachments == attached.attachments
    [file] = attached.attachments
    assert (file.filename, file.content_type, file.size) == ("bridge.mp4", "video/mp4", len(CONTENT))
    digest = await fetch_value("SELECT digest FROM composed_attachments")
    assert digest == hashlib.sha256(CONTENT).hexdigest() and await blobs.get(digest) == CONTENT
    assert (await api.ana.get(f"/drafts/{draft.id}/uploads", Uploads)).unfinished == []


async def test_who_lost_the_answer_asks_and_goes_on_from_there(api: Api) -> None:
    draft = await draft_of(api.ana, api.support)
    path = path_of(draft, await begin(api.ana, draft))
    assert await send_part(api.ana, path, 0, CONTENT[:SMALLEST_PART]) == 200
    headers = {"upload-offset": "0", "content-type": STREAM}
    refusal = await api.ana.refused("PATCH", path, content=CONTENT[:SMALLEST_PART], headers=headers)
    assert (refusal.status, refusal.details["offset"]) == (409, SMALLEST_PART)
    assert await send_part(api.ana, path, SMALLEST_PART * 2, CONTENT[:SMALLEST_PART]) == 409
    assert (await api.ana.get(path, Upload)).offset == SMALLEST_PART
    refusal = await api.ana.refused("POST", f"{path}/attach")
    assert (refusal.status, refusal.details["offset"]) == (409, SMALLEST_PART)
    await send_all(api.ana, path, begins=SMALLEST_PART)
    assert len((await api.ana.post(f"{path}/attach", None, Draft)).attachments) == 1


async def test_what_was_confirmed_is_there_after_a_restart(api: Api) -> None:
    draft = await draft_of(api.ana, api.support)
    upload = await begin(api.ana, draft)
    await send_all(api.ana, path_of(draft, upload), CONTENT[: SMALLEST_PART * 3])
    again = Member(create_app(dsn=api.dsn), api.ana.user_id, api.ana.email, dict(api.ana.client.cookies))
    [half] = (await again.get(f"/drafts/{draft.id}/uploads", Uploads)).unfinished
    assert (half.id, half.offset, half.filename) == (upload.id, SMALLEST_PART * 3, "bridge.mp4")
    await send_all(again, path_of(draft, upload), begins=half.offset)
    await again.post(f"{path_of(draft, upload)}/attach", None, Draft)
    digest = await fetch_value("SELECT digest FROM composed_attachments")
    assert await blobs.get(digest) == CONTENT


async def test_nobody_else_knows_of_an_upload(api: Api) -> None:
    """Jonas sees the draft, and could write in it."""
    conversation_id = await deliver(api.support)
    draft = await api.ana.post("/drafts", {"kind": "reply", "conversation_id": conversation_id}, Draft)
    other = await draft_of(api.ana, api.support)
    upload = await begin(api.ana, draft)
    assert (await api.jonas.get(f"/drafts/{draft.id}/uploads", Uploads)).unfinished == []
    for who, place in ((api.jonas, draft), (api.mallory, draft), (api.ana, other)):
        path = path_of(place, upload)
        assert (await who.refused("GET", path)).status == 404
        assert await send_part(who, path, 0, CONTENT) == 404
        for deed in ("attach", "link"):
            assert (await who.refused("POST", f"{path}/{deed}")).status == 404
        assert (await who.refused("DELETE", path)).status == 404
    assert (await api.ana.get(path_of(draft, upload), Upload)).offset == 0


@contextmanager
def limits(folder: Path, attachments: int, linked: int) -> Iterator[None]:
    with environment(folder, TANDEM_ATTACHMENTS_MB=str(attachments), TANDEM_LINKED_FILE_MB=str(linked)):
        yield


async def test_what_is_too_large_is_told_before_anything_comes(api: Api, tmp_path: Path) -> None:
    with limits(tmp_path, 1, 3):
        draft = await draft_of(api.ana, api.support)
        place = f"/drafts/{draft.id}/uploads"
        fits = BeginUpload(filename="a.bin", size=2**20)
        larger = BeginUpload(filename="b.bin", size=2**20 + 1)
        assert (await api.ana.get(place, Uploads)).room == 2**20
        refusal = await api.ana.refused("POST", place, larger)
        assert (refusal.status, refusal.message) == (413, "This mail takes 1.0 MB more at most.")
        await api.ana.post(place, fits)
        assert (await api.ana.get(place, Uploads)).largest_link == 3 * 2**20
        await api.ana.post(place, BeginUpload(filename="b.bin", size=3 * 2**20, link_days=7))
        huge = BeginUpload(filename="c.bin", size=3 * 2**20 + 1, link_days=7)
        assert (await api.ana.refused("POST", place, huge)).status == 413


async def test_what_the_outgoing_server_takes_is_known_before_the_upload(api: Api) -> None:
    server = await api.ana.post(
        "/outgoing-servers",
        {"name": "Relay", "host": "smtp.northwind.example", "port": 587, "security": "starttls", "for_all": True},
    )
    await execute("UPDATE outgoing_servers SET size_limit = 10000000 WHERE id = $1", server["id"])
    draft = await draft_of(api.ana, api.support)
    assert 7_000_000 < (await api.ana.get(f"/drafts/{draft.id}/uploads", Uploads)).room < 7_300_000


@pytest.mark.parametrize(
    ("offset", "content", "status"),
    [(0, CONTENT + b"more", 422), (0, CONTENT[:1000], 422), (0, b"", 422), (0, bytes(LARGEST_PART + 1), 413)],
)
async def test_a_part_that_does_not_fit_is_refused(api: Api, offset: int, content: bytes, status: int) -> None:
    draft = await draft_of(api.ana, api.support)
    path = path_of(draft, await begin(api.ana, draft))
    assert await send_part(api.ana, path, offset, content) == status
    assert (await api.ana.get(path, Upload)).offset == 0


async def test_an_empty_file_is_a_file(api: Api) -> None:
    draft = await draft_of(api.ana, api.support)
    path = path_of(draft, await begin(api.ana, draft, size=0))
    assert [each.size for each in (await api.ana.post(f"{path}/attach", None, Draft)).attachments] == [0]


async def test_an_upload_that_nobody_went_on_with_is_dropped_after_a_day(api: Api) -> None:
    draft = await draft_of(api.ana, api.support)
    upload = await begin(api.ana, draft)
    await send_all(api.ana, path_of(draft, upload), CONTENT[:SMALLEST_PART])
    assert await drop_old_uploads() == 0
    await execute("UPDATE uploads SET touched_at = now() - interval '25 hours'")
    assert await drop_old_uploads() == 1
    assert (await api.ana.refused("GET", path_of(draft, upload))).status == 404
    assert await fetch_value("SELECT count(*) FROM upload_parts") == 0
    assert "upload_parts.digest" in BLOB_REFERENCES  # so that its bytes are collected, too


async def test_an_upload_can_be_given_up(api: Api) -> None:
    draft = await draft_of(api.ana, api.support)
    path = path_of(draft, await begin(api.ana, draft))
    assert (await api.ana.request("DELETE", path)).status_code == 204
    assert (await api.ana.refused("GET", path)).status == 404
