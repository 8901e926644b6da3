"""The one database: connection, embedded server, transactions, migrations."""
