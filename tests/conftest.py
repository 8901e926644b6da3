"""What every test may use: one plugin for each kind of server."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # what shares a slow machine is no slower for it
settings.load_profile("untimed")

pytest_plugins = [
    "tests.memory_folder",
    "tests.skips",
    "tests.sharing",
    "tests.servers.fixtures",
    "tests.servers.postgres",
    "tests.servers.installation",
    "tests.servers.api",
    "tests.servers.sending",
    "tests.servers.system_mail",
    "tests.servers.chromium",
    "tests.servers.office",
]
