"""What is fetched with one command, bounded in number and in bytes."""

from collections.abc import Mapping, Sequence


def bounded(uids: Sequence[int], sizes: Mapping[int, int], *, most_bytes: int, most: int) -> list[list[int]]:
    """The UIDs in their order, in batches; a message that is larger than a batch may be is one of its own."""
    batches: list[list[int]] = []
    total = 0
    for uid in uids:
        size = sizes.get(uid, 0)
        if not batches or len(batches[-1]) >= most or total + size > most_bytes:
            batches.append([])
            total = 0
        batches[-1].append(uid)
        total += size
    return batches
