"""What the sqlite output wrote: table logs, the document as JSON."""

import contextlib
import json
import sqlite3

from .wait import LIMIT, until, until_equal


class Table:
    def __init__(self, path):
        self.path = path

    @property
    def output(self):
        """Its [OUTPUT]."""
        return {"Name": "sqlite", "Path": self.path}

    @contextlib.contextmanager
    def locked(self):
        """It takes nothing."""
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        connection.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            connection.rollback()
            connection.close()

    def rows(self, query):
        if not self.path.exists():
            return []
        connection = sqlite3.connect(self.path, timeout=30)
        try:
            return connection.execute(query).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return []
            raise
        finally:
            connection.close()

    def documents(self):
        return [json.loads(row[0]) for row in self.rows("SELECT doc FROM logs")]

    def count(self):
        rows = self.rows("SELECT count(*) FROM logs")
        return rows[0][0] if rows else 0

    def in_order(self):
        """The texts as they were delivered."""
        rows = self.rows("SELECT doc FROM logs ORDER BY rowid")
        return [json.loads(row[0])["log"] for row in rows]

    def document(self, log, limit=LIMIT):
        """The one of this text, once it is there; there must not be two."""
        found = []

        def there():
            found[:] = [d for d in self.documents() if d["log"] == log]
            return found

        until(there, lambda: f"no {log!r} in {self.logs()}", limit)
        assert len(found) == 1, found
        return found[0]

    def logs(self):
        return sorted(d["log"] for d in self.documents())

    def until_count(self, n, limit=60):
        until_equal(self.count, n, limit)
