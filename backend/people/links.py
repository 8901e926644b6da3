"""Links that let somebody in without a password: where they lead, and how an invitation's secret is made.

An invitation's secret is derived from its row and the installation's key, which is not in the database: so the worker
can mail the link although only a hash of the secret is stored, and no secret stands in the job queue.
"""

import hashlib
import hmac
from datetime import datetime

from backend.secret_key import secret_key
from backend.settings import Settings


def invitation_token(configured: Settings, invitation_id: int, created_at: datetime) -> str:
    """The secret of an invitation, the same on every process with this installation's key."""
    words = f"invitation {invitation_id} {created_at.isoformat()}"
    return hmac.new(secret_key(configured), words.encode(), hashlib.sha256).hexdigest()


def invitation_link(configured: Settings, token: str) -> str:
    # The secret stands behind the #, so that it reaches no server's log and no Referer.
    return f"{configured.public_url}/invitation/#token={token}"


def reset_link(configured: Settings, token: str) -> str:
    return f"{configured.public_url}/reset-password/#token={token}"
