"""A provider where people agree that Tandem may use their mail: an authorisation server, and a Dovecot that asks it.

    with AuthorisationServer() as provider, TokenDovecot(provider) as dovecot:
        url = ...                                    # what Tandem sends the person's browser to
        code, state = provider.agree(url, "ana@example.org")
        provider.withdraw_access_tokens()            # mail servers refuse them from now on
        provider.withdraw_permission()               # and no refresh token gives new ones

It holds clients to the rules: client id and secret, exact redirect address, PKCE with S256, codes used once
(RFC 6749, RFC 7636). Refresh tokens change with each use where `rotate` is set, as Microsoft's do.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.servers.dovecot import Dovecot
from tests.servers.http_server import Handler, HttpServer

CLIENT_ID = "tandem-in-a-test"
CLIENT_SECRET = "a-secret-between-two-servers"


@dataclass
class _Code:
    user: str
    redirect_uri: str
    challenge: str


@dataclass
class _Token:
    user: str
    until: float


@dataclass
class AuthorisationServer(HttpServer):
    """One provider. `lasts` is the life of its access tokens in seconds; `asked` notes each grant type in order."""

    lasts: float = 3600
    rotate: bool = True
    out_of_order: bool = False
    asked: list[str] = field(default_factory=list)
    consents: list[dict[str, str]] = field(default_factory=list)
    """The parameters of each authorisation request."""
    user: str = "support"
    """Who is signed in at the provider's own page."""

    def __post_init__(self) -> None:
        self._codes: dict[str, _Code] = {}
        self._access: dict[str, _Token] = {}
        self._refresh: dict[str, str] = {}
        self._lock = threading.Lock()
        super().__init__("authorisation", self._handler())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def settings(self, provider: str = "GOOGLE") -> dict[str, str]:
        """The environment of an installation that is registered here."""
        name = f"TANDEM_OAUTH_{provider}"
        return {
            f"{name}_CLIENT_ID": CLIENT_ID,
            f"{name}_CLIENT_SECRET": CLIENT_SECRET,
            f"{name}_AUTHORISE_URL": f"{self.url}/authorise",
            f"{name}_TOKEN_URL": f"{self.url}/token",
        }

    # ---- what happens at the provider

    def agree(self, url: str, user: str) -> tuple[str, str]:
        """The person signs in as `user` and agrees; answers the code and the state that go back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        self.consents.append(asked)
        assert asked["client_id"] == CLIENT_ID
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        with self._lock:
            self._codes[code] = _Code(user, asked["redirect_uri"], asked["code_challenge"])
        return code, asked["state"]

    def accepts(self, token: str) -> bool:
        """Whether a mail server should take this access token."""
        return self._owner_of(token) is not None

    def withdraw_access_tokens(self) -> None:
        """The access tokens given so far are worth nothing any more, whatever was said of their life."""
        with self._lock:
            self._access.clear()

    def withdraw_permission(self) -> None:
        """The person took the permission back."""
        self.withdraw_access_tokens()
        with self._lock:
            self._refresh.clear()

    def _owner_of(self, token: str) -> str | None:
        with self._lock:
            known = self._access.get(token)
        return known.user if known is not None and known.until > time.monotonic() else None

    def _give(self, user: str, refresh: str | None = None) -> dict[str, object]:
        access = secrets.token_urlsafe(24)
        with self._lock:
            self._access[access] = _Token(user, time.monotonic() + self.lasts)
            if refresh is not None and self.rotate:
                del self._refresh[refresh]
            given = secrets.token_urlsafe(24) if refresh is None or self.rotate else refresh
            self._refresh[given] = user
        claims = base64.urlsafe_b64encode(json.dumps({"email": f"{user}@provider.example"}).encode()).decode()
        told: dict[str, object] = {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": self.lasts,
            "id_token": f"e30.{claims.rstrip('=')}.c2ln",
        }
        if refresh is None or self.rotate:
            told["refresh_token"] = given
        return told

    def _token(self, form: dict[str, str]) -> tuple[int, dict[str, object]]:
        self.asked.append(form.get("grant_type", ""))
        if self.out_of_order:
            return 503, {}
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return 401, {"error": "invalid_client"}
        if form.get("grant_type") == "authorization_code":
            with self._lock:
                code = self._codes.pop(form.get("code", ""), None)
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            if code is None or code.challenge != challenge or code.redirect_uri != form.get("redirect_uri"):
                return 400, {"error": "invalid_grant", "error_description": "The code is not valid."}
            return 200, self._give(code.user)
        if form.get("grant_type") == "refresh_token":
            with self._lock:
                user = self._refresh.get(form.get("refresh_token", ""))
            if user is None:
                return 400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
            return 200, self._give(user, form["refresh_token"])
        return 400, {"error": "unsupported_grant_type"}

    def _handler(self) -> type[Handler]:
        provider = self

        class Asked(Handler):
            def do_GET(self) -> None:
                path = urlsplit(self.path).path
                if path == "/introspect":
                    user = provider._owner_of(self.headers.get("authorization", "").partition("Bearer ")[2])
                    self._tell(200, {"active": True, "username": user} if user else {"active": False})
                elif path == "/authorise":
                    self._page()
                elif path == "/favicon.ico":
                    self.answer(200, "image/svg+xml", b"")
                else:
                    self._tell(404, {})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
                form = {name: values[0] for name, values in parse_qs(body).items()}
                self._tell(*provider._token(form))

            def _page(self) -> None:
                """Allow and Refuse, as links back to Tandem."""
                code, state = provider.agree(self.path, provider.user)
                back = parse_qs(urlsplit(self.path).query)["redirect_uri"][0]
                allow = f"{back}?{urlencode({'code': code, 'state': state})}"
                refuse = f"{back}?{urlencode({'error': 'access_denied', 'state': state})}"
                page = f'<!doctype html><a href="{allow}">Allow</a> <a href="{refuse}">Refuse</a>'.replace("&", "&amp;")
                self.answer(200, "text/html", page.encode())

            def _tell(self, status: int, told: dict[str, object]) -> None:
                self.answer(status, "application/json", json.dumps(told).encode())

        return Asked


class TokenDovecot(Dovecot):
    """A Dovecot that takes passwords, and the access tokens of a provider (XOAUTH2)."""

    def __init__(self, provider: AuthorisationServer) -> None:
        super().__init__()
        self._provider = provider

    def _config(self) -> str:
        about = self.root / "provider.conf"
        about.write_text(
            f"introspection_url = {self._provider.url}/introspect\n"
            "introspection_mode = auth\n"
            "username_attribute = username\n"
            "active_attribute = active\n"
            "active_value = true\n"
        )
        about.chmod(0o644)
        return f"""{super()._config()}
auth_mechanisms = plain login xoauth2
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {about}
}}
"""
