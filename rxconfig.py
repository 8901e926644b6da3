"""Reflex's own configuration. Everything else is Tandem's: see docs/settings.md.

The addresses below are only what the build writes down; frontend/build.py rewrites them to the address that
the page was loaded from, so one build serves any host and port.
"""

import reflex as rx

from frontend.build import BUILT_FOR

config = rx.Config(
    app_name="frontend",
    app_module_import="frontend.app",
    frontend_port=8000,
    backend_port=8000,
    api_url=BUILT_FOR,
    deploy_url=BUILT_FOR,
    telemetry_enabled=False,
    show_built_with_reflex=False,
    disable_plugins=[rx.plugins.SitemapPlugin],
    state_manager_mode=rx.constants.StateManagerMode.MEMORY,
    # Replaced at start by the origins of the settings: see frontend/app.py.
    cors_allowed_origins=(BUILT_FOR,),
)
