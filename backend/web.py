"""The web process: the interface, the REST API and the live socket on one port."""

import gc
import os
import socket
from pathlib import Path

import uvicorn

from backend.settings import Settings, SettingsError
from frontend.build import BuildError, ensure_built

PROJECT = Path(__file__).resolve().parents[1]


def serve(settings: Settings) -> None:
    """Build the interface if its sources changed, then serve until SIGTERM or SIGINT.

    Raises `SettingsError` when it cannot be built.
    """
    os.chdir(PROJECT)  # Reflex looks for rxconfig.py in the working folder
    try:
        ensure_built()
    except BuildError as fault:  # it would fail again, so a person is needed
        raise SettingsError(str(fault)) from fault
    os.environ.update(
        {
            # With these Reflex serves what is built; without them it compiles again, and "/" is 404.
            "__REFLEX_SKIP_COMPILE": "true",
            "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
            "REFLEX_ENV_MODE": "prod",
            "REFLEX_STATE_MANAGER_MODE": "memory",
            "REFLEX_CORS_ALLOWED_ORIGINS": ",".join(settings.allowed_origins),
            "REFLEX_TELEMETRY_ENABLED": "false",
            "REFLEX_CHECK_LATEST_VERSION": "false",
        }
    )
    gc.disable()  # nothing of what is loaded now is garbage; looking for it takes a sixth of the start
    config = uvicorn.Config(
        "frontend.app:app",
        factory=True,
        host=settings.host,
        port=settings.port,
        log_level="warning" if settings.log_level == "info" else settings.log_level,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
    )
    _Server(config).run()


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        gc.freeze()  # nor will it ever be: later collections pass it over
        gc.enable()
