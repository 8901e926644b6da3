"""The browsers that a person lets be told by push, and what is pushed to them.

A browser that subscribes gives an address at its maker's push service. That is input of a user, and later a worker of
ours connects to it: https and nothing else, and only to public addresses, unless the settings allow private ones.
"""

import ipaddress
from collections.abc import Collection, Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec

from backend.access.asker import Asker
from backend.database.connection import Row, execute, fetch, fetch_row, fetch_value
from backend.errors import Conflict, NotFound, Unacceptable
from backend.events.record import action
from backend.jobs import enqueue
from backend.notifications.contracts import AddDevice, Device, PushState
from backend.notifications.webpush import AUTH_BYTES, CURVE, POINT_BYTES, decode, public_key
from backend.settings import Settings, settings

MOST_DEVICES = 20
LONGEST_ENDPOINT = 1_000
LONGEST_NAME = 100
SOON = timedelta(seconds=2)
"""Until a push leaves: whoever has the conversation before them has read it by then, and needs none."""


async def read_push(asker: Asker) -> PushState:
    """Whether this installation pushes, under which key, and to which browsers of the person."""
    records = await fetch("SELECT * FROM push_devices WHERE user_id = $1 ORDER BY id", asker.user_id)
    return PushState(
        available=settings().network,
        public_key=public_key(settings()),
        devices=[device_of(asker, record) for record in records],
    )


async def add_device(asker: Asker, given: AddDevice) -> Device:
    """Push to this browser from now on. One that is known gets its new name and session.

    Raises Unacceptable for an address or keys that cannot be, Conflict for an address that came with other keys.
    """
    _check_endpoint(settings(), given.endpoint)
    _check_keys(given)
    async with action(asker.user_id):
        await execute("SELECT 1 FROM users WHERE id = $1 FOR UPDATE", asker.user_id)
        count = await fetch_value(
            "SELECT count(*) FROM push_devices WHERE user_id = $1 AND endpoint <> $2", asker.user_id, given.endpoint
        )
        if count >= MOST_DEVICES:
            raise Unacceptable("There are 20 devices already.", "Remove those that are not used any more.")
        # Whoever else signs in on the same browser takes it over; an address alone, without its keys, is not enough.
        record = await fetch_row(
            "INSERT INTO push_devices (user_id, session_id, name, endpoint, p256dh, auth, created_at) "
            "VALUES ($1, $2, $3, $4, $5, $6, now()) ON CONFLICT (endpoint) DO UPDATE SET user_id = $1, "
            "session_id = $2, name = $3 WHERE push_devices.p256dh = $5 AND push_devices.auth = $6 RETURNING *",
            asker.user_id,
            asker.session_id,
            given.name.strip()[:LONGEST_NAME] or "A browser",
            given.endpoint,
            given.p256dh,
            given.auth,
        )
    if record is None:
        raise Conflict("Another browser has this address.", "Turn push off and on again.")
    return device_of(asker, record)


async def remove_device(asker: Asker, device_id: int) -> None:
    """Push to it no more. Raises NotFound for anybody else's."""
    gone = await execute("DELETE FROM push_devices WHERE id = $1 AND user_id = $2", device_id, asker.user_id)
    if gone.endswith(" 0"):
        raise NotFound("There is no such device.", "It may have been removed meanwhile.")


def device_of(asker: Asker, record: Row) -> Device:
    return Device(
        id=record["id"],
        name=record["name"],
        endpoint=record["endpoint"],
        created_at=record["created_at"],
        pushed_at=record["pushed_at"],
        here=asker.session_id is not None and record["session_id"] == asker.session_id,
    )


async def push_soon(fresh: Collection[int], again: Collection[int]) -> None:
    """Let these notifications be pushed where their people want it; those told `again` once their minute is over.

    Call inside the action that writes them.
    """
    for record in await _wanted([*fresh, *again]):
        await enqueue(
            "send_push",
            after=record["rest"] if record["id"] in again else SOON,
            key=f"{record['device_id']}:{record['id']}",
            device_id=record["device_id"],
            notification_id=record["id"],
        )


async def _wanted(ids: Sequence[int]) -> Sequence[Row]:
    if not ids:
        return []
    return await fetch(
        "SELECT n.id, d.id AS device_id, greatest(n.created_at + interval '1 minute' - now(), interval '2 seconds') "
        "AS rest FROM notifications n JOIN users u ON u.id = n.user_id JOIN push_devices d ON d.user_id = n.user_id "
        "WHERE n.id = ANY($1) AND coalesce((u.notify -> n.kind ->> 'push')::boolean, true)",
        ids,
    )


def _check_endpoint(configured: Settings, endpoint: str) -> None:
    try:
        parts = urlsplit(endpoint)
        usable = bool(parts.hostname) and parts.port != 0 and not parts.username and not parts.fragment
    except ValueError:
        usable = False
    else:
        usable = usable and (parts.scheme == "https" or (parts.scheme == "http" and configured.allow_private_servers))
        usable = usable and endpoint.isascii() and endpoint.isprintable() and len(endpoint) <= LONGEST_ENDPOINT
        if usable and not configured.allow_private_servers:
            usable = _may_be_public(parts.hostname or "")
    if not usable:
        raise Unacceptable("This is no address of a push service.", "Turn push off and on again in this browser.")


def _may_be_public(host: str) -> bool:
    """Not an address inside, as far as can be told without asking anybody; the worker looks the name up."""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith((".local", ".internal", ".localhost"))


def _check_keys(given: AddDevice) -> None:
    try:
        fits = len(decode(given.p256dh)) == POINT_BYTES and len(decode(given.auth)) == AUTH_BYTES
        ec.EllipticCurvePublicKey.from_encoded_point(CURVE, decode(given.p256dh))
    except ValueError:
        fits = False
    if not fits:
        raise Unacceptable("These are no keys of a browser.", "Turn push off and on again in this browser.")
