"""Files of comments: uploaded, said, downloaded, gone."""

import httpx

from backend.conversations.contracts import AddComment, Comment, ConversationDetail, EditComment
from backend.database.connection import fetch, fetch_value
from tests.servers.api import Api, Member
from tests.servers.delivery import deliver, write_mail

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360000002000001e221bc3300000000 49454e44ae426082"
)


async def upload(
    person: Member,
    conversation_id: int,
    name: str = "stock.txt",
    content: bytes = b"7 wheels",
    kind: str = "text/plain",
) -> httpx.Response:
    form = {"file": (name, content, kind)}
    return await person.request("POST", f"/conversations/{conversation_id}/comment-files", files=form)


async def say_with(person: Member, conversation_id: int, *file_ids: int, text: str = "") -> Comment:
    body = AddComment(text=text, file_ids=list(file_ids))
    return await person.post(f"/conversations/{conversation_id}/comments", body, Comment)


async def test_files_are_said_with_the_comment_and_saved_by_whoever_sees_it(api: Api) -> None:
    number = await deliver(api.support)
    first = (await upload(api.ana, number, name="../stock.html", content=b"<script>", kind="text/html")).json()
    second = (await upload(api.ana, number, name="wheel.png", content=PIXEL, kind="image/png")).json()
    said = await say_with(api.ana, number, first["id"], second["id"])
    assert [(each.filename, each.size) for each in said.files] == [("stock.html", 8), ("wheel.png", len(PIXEL))]
    assert (await api.jonas.get(f"/conversations/{number}", ConversationDetail)).comments == [said]

    saved = await api.jonas.request("GET", f"/comment-files/{first['id']}")
    assert (saved.content, saved.headers["content-type"]) == (b"<script>", "application/octet-stream")
    assert saved.headers["content-disposition"].startswith("attachment")
    assert saved.headers["x-content-type-options"] == "nosniff"
    shown = [await api.jonas.request("GET", f"/comment-files/{each['id']}/picture") for each in (first, second)]
    assert [each.headers["content-type"] for each in shown] == ["application/octet-stream", "image/png"]
    assert shown[0].headers["content-disposition"] == "attachment"
    assert (await api.mallory.refused("GET", f"/comment-files/{first['id']}")).status == 404


async def test_what_is_not_yet_said_is_its_uploaders_alone(api: Api) -> None:
    number, other = await deliver(api.support), await deliver(api.support, write_mail(subject="Another"))
    uploaded = (await upload(api.ana, number)).json()
    assert (await api.ana.request("GET", f"/comment-files/{uploaded['id']}")).status_code == 200
    assert (await api.jonas.refused("GET", f"/comment-files/{uploaded['id']}")).status == 404
    stolen = AddComment(text="Mine", file_ids=[uploaded["id"]])
    assert (await api.jonas.refused("POST", f"/conversations/{number}/comments", stolen)).status == 422
    assert (await api.ana.refused("POST", f"/conversations/{other}/comments", stolen)).status == 422
    await api.ana.delete(f"/comment-files/{uploaded['id']}")
    assert (await api.ana.refused("GET", f"/comment-files/{uploaded['id']}")).status == 404


async def test_a_file_goes_with_its_comment(api: Api) -> None:
    number = await deliver(api.support)
    uploaded = (await upload(api.ana, number, name="Zwirbel.txt")).json()
    said = await say_with(api.ana, number, uploaded["id"], text="Look.")
    gone = await api.ana.delete(f"/comments/{said.id}")
    assert gone["files"] == []
    assert (await api.jonas.refused("GET", f"/comment-files/{uploaded['id']}")).status == 404
    assert await fetch_value("SELECT count(*) FROM comment_files") == 0
    assert "Zwirbel" not in str(await fetch("SELECT body FROM events WHERE conversation_id = $1", number))


async def test_its_author_takes_a_file_off_but_not_the_last_word(api: Api) -> None:
    number = await deliver(api.support)
    ids = [(await upload(api.ana, number)).json()["id"] for _ in range(2)]
    said = await say_with(api.ana, number, *ids)
    assert (await api.jonas.refused("DELETE", f"/comment-files/{ids[0]}")).status == 403
    await api.ana.delete(f"/comment-files/{ids[0]}")
    (left,) = (await api.jonas.get(f"/conversations/{number}", ConversationDetail)).comments
    assert [each.id for each in left.files] == [ids[1]]
    assert (await api.ana.refused("DELETE", f"/comment-files/{ids[1]}")).remedy == "Delete the comment instead."
    edited = await api.ana.put(f"/comments/{said.id}", EditComment(text=""), Comment)
    assert edited.files == left.files


async def test_a_changed_comment_takes_more_files(api: Api) -> None:
    number = await deliver(api.support)
    ids = [(await upload(api.ana, number, name=f"{n}.txt")).json()["id"] for n in range(2)]
    his = (await upload(api.jonas, number)).json()["id"]
    said = await say_with(api.ana, number, ids[0], text="See the file.")
    body = EditComment(text="See the files.", file_ids=[ids[1]])
    changed = await api.ana.put(f"/comments/{said.id}", body, Comment)
    assert [each.filename for each in changed.files] == ["0.txt", "1.txt"]
    again = EditComment(text="And his.", file_ids=[his])
    assert (await api.ana.refused("PUT", f"/comments/{said.id}", again)).status == 422
    assert (await api.jonas.get(f"/conversations/{number}", ConversationDetail)).comments == [changed]


async def test_too_much_is_refused(api: Api) -> None:
    number = await deliver(api.support)
    half = b"x" * (13 * 1024 * 1024)
    ids = [(await upload(api.ana, number, content=half)).json()["id"] for _ in range(2)]
    refusal = await api.ana.refused("POST", f"/conversations/{number}/comments", AddComment(text="Both", file_ids=ids))
    assert (refusal.status, refusal.message) == (413, "The files of one comment are 25 MB at most.")
    assert (await upload(api.ana, number, content=half + half)).status_code == 413
    assert (await api.ana.get(f"/conversations/{number}", ConversationDetail)).comments == []
