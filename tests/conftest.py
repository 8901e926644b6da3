"""What every test may use: one plugin for each kind of server."""

pytest_plugins = [
    "tests.memory_folder",
    "tests.skips",
    "tests.sharing",
    "tests.servers.fixtures",
    "tests.servers.postgres",
    "tests.servers.installation",
    "tests.servers.api",
    "tests.servers.sending",
    "tests.servers.chromium",
    "tests.servers.office",
]
