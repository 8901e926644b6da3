"""Who is asking."""

from dataclasses import dataclass

from backend.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Asker:
    """A signed-in person, by session or by API token. Every read and write names one."""

    user_id: int
    role: str
    session_id: int | None = None
    token_id: int | None = None

    @property
    def is_admin(self) -> bool:
        return self.role in ("owner", "admin")

    def check_admin(self) -> None:
        if not self.is_admin:
            raise Forbidden("Only admins can do this.", "Ask the owner or an admin of your organisation.")
