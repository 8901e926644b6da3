"""Bytes in words, counted as limits are: 1 MB is 1024 times 1024 bytes."""


def size_words(size: int) -> str:
    """A size as people say it: 14 KB, 1.8 MB, 2.0 GB."""
    if size < 2**20:
        return f"{max(1, round(size / 2**10))} KB"
    return f"{size / 2**20:.1f} MB" if size < 2**30 else f"{size / 2**30:.1f} GB"
