"""The one database: connection, embedded server, migrations."""

import os

# Piccolo looks its engine up by this name; set before any table is used.
os.environ.setdefault("PICCOLO_CONF", "backend.database.piccolo_conf")
