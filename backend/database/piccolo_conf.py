"""Where Piccolo finds the engine and the one app (`PICCOLO_CONF=backend.database.piccolo_conf`)."""

from piccolo.conf.apps import AppRegistry

from backend.database.connection import engine

DB = engine
APP_REGISTRY = AppRegistry(apps=["backend.database.piccolo_app"])
