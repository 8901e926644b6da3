"""What a tag is called on mail servers: a keyword (RFC 9051 section 2.3.2), an atom of plain letters. Pure."""

import re
import unicodedata
from collections.abc import Collection

from backend.mail.flag_words import WELL_KNOWN

LONGEST = 60


def keyword_for(name: str, number: int, taken: Collection[str] = ()) -> str:
    """The name without accents and with underscores for spaces, as far as ASCII goes; with the tag's number where
    nothing is left of it, or it is `taken` (in lower case) or well known."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode()
    atom = re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_")[:LONGEST]
    if not atom:
        return f"tag_{number}"
    return f"{atom}_{number}" if atom.lower() in {*taken, *WELL_KNOWN} else atom
