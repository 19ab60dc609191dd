"""Everything that a later process needs, in SQLite. What a method has saved survives the process.

Local statements take well under a millisecond, so they run on the event loop; where another process has locked the
database they give up after a second. With a database server use its async driver.

Several processes write, and each may hold a row that has changed meanwhile. So what depends on what a row was says so
(`change_if`), and what belongs together is one `transaction`.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator

SCHEMA = """
CREATE TABLE IF NOT EXISTS sessions (
    secret TEXT PRIMARY KEY,        -- the hash of what the cookie has; a session may have two for a moment
    id TEXT NOT NULL, started TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS connections (
    id TEXT PRIMARY KEY, session TEXT NOT NULL, bic_fi TEXT NOT NULL, bank_name TEXT NOT NULL, user_id TEXT NOT NULL,
    logo TEXT, way TEXT NOT NULL,   -- how the user approves: qr, app or browser
    status TEXT NOT NULL,           -- new, waiting, partly, valid, failed, expired or ended
    consent_id TEXT, saved TEXT,    -- the authorisation's to_dict(): with it the consent can be used by any process
    valid_until TEXT,
    said TEXT,                      -- why it is over: a sentence
    note TEXT, noted_at TEXT,       -- what the nightly job has to say
    read_at TEXT                    -- when it last read everything
);
CREATE TABLE IF NOT EXISTS approvals (
    id TEXT PRIMARY KEY, session TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,
    saved TEXT NOT NULL,            -- the authorisation's to_dict()
    link TEXT, state TEXT,          -- of a redirect
    started REAL NOT NULL,
    outcome TEXT, said TEXT         -- approved or failed, and the sentence about it
);
CREATE UNIQUE INDEX IF NOT EXISTS approvals_state ON approvals (state);
CREATE TABLE IF NOT EXISTS accounts (
    id TEXT PRIMARY KEY, session TEXT NOT NULL, connection TEXT NOT NULL, resource_id TEXT NOT NULL,
    name TEXT NOT NULL, number TEXT NOT NULL, currency TEXT NOT NULL,
    data TEXT NOT NULL              -- the Account's to_dict()
);
CREATE TABLE IF NOT EXISTS payments (
    id TEXT PRIMARY KEY, session TEXT NOT NULL, connection TEXT NOT NULL, account TEXT NOT NULL,
    bic_fi TEXT NOT NULL, bank_name TEXT NOT NULL, user_id TEXT NOT NULL, way TEXT NOT NULL,
    sent TEXT NOT NULL,             -- the order, with a reference of our own, saved before it is sent
    attempt INTEGER NOT NULL,       -- how many times it was sent
    sending_since REAL,             -- by a request that has no answer yet, of whichever process
    lost TEXT,                      -- the request id of an answer that did not come
    created TEXT, warnings TEXT,    -- the bank's answer, and what it warns of
    approval TEXT, status TEXT, status_at TEXT, started TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS cursors (
    id TEXT PRIMARY KEY, session TEXT NOT NULL, account TEXT NOT NULL, cursor TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS transactions (
    connection TEXT NOT NULL, account TEXT NOT NULL, key TEXT NOT NULL,
    booked INTEGER NOT NULL, day TEXT, data TEXT NOT NULL,
    PRIMARY KEY (connection, account, key)
);
"""
VALID_FOR = timedelta(days=90)
"""How long consents open accounts, and sessions count."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """A row. `id` is ours, random, and all that the browser gets to see; `session` says whose it is."""

    table: ClassVar[str]
    json: ClassVar[frozenset[str]] = frozenset()
    id: str
    session: str


@dataclass(frozen=True, kw_only=True)
class Connection(Record):
    """A bank that the user has let us see: a consent."""

    table: ClassVar[str] = "connections"
    json: ClassVar[frozenset[str]] = frozenset({"saved", "said"})
    bic_fi: str
    bank_name: str
    user_id: str
    logo: str | None = None
    way: str
    status: str = "new"
    consent_id: str | None = None
    saved: dict[str, Any] | None = None
    valid_until: str | None = None
    said: dict[str, Any] | None = None
    note: str | None = None
    noted_at: str | None = None
    read_at: str | None = None


@dataclass(frozen=True, kw_only=True)
class Approval(Record):
    """One time that a user is asked at the bank: for a connection or for a payment (`kind`), whose id is `subject`."""

    table: ClassVar[str] = "approvals"
    json: ClassVar[frozenset[str]] = frozenset({"saved", "said"})
    kind: str
    subject: str
    saved: dict[str, Any]
    link: str | None = None
    state: str | None = None
    started: float
    outcome: str | None = None
    said: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class SavedAccount(Record):
    """An account that was listed, as links and forms name it."""

    table: ClassVar[str] = "accounts"
    json: ClassVar[frozenset[str]] = frozenset({"data"})
    connection: str
    resource_id: str
    name: str
    number: str
    currency: str
    data: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class SavedPayment(Record):
    """A payment, from the order to its end."""

    table: ClassVar[str] = "payments"
    json: ClassVar[frozenset[str]] = frozenset({"sent", "created", "warnings"})
    connection: str
    account: str
    bic_fi: str
    bank_name: str
    user_id: str
    way: str
    sent: dict[str, Any]
    attempt: int = 0
    sending_since: float | None = None
    lost: str | None = None
    created: dict[str, Any] | None = None
    warnings: list[str] | None = None
    approval: str | None = None
    status: str | None = None
    status_at: str | None = None
    started: str


@dataclass(frozen=True, kw_only=True)
class Cursor(Record):
    """Where a list of transactions goes on. It stays here, since a user must not be able to change it."""

    table: ClassVar[str] = "cursors"
    account: str
    cursor: str


R = TypeVar("R", bound=Record)


def new_id() -> str:
    """An id that nobody guesses, for rows and links."""
    return secrets.token_urlsafe(16)


class Store:
    """The database of the application. It may be used by several processes at once."""

    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, timeout=1)  # each statement is a transaction of its own
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")  # the nightly job writes while pages are read
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        """Closes the database."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """All of the block or nothing, and no other process writes meanwhile. Nothing in it may wait."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextmanager
    def saving(self, connection: Connection) -> Generator[Connection | None]:
        """A transaction that saves what was read through a connection; None if it was disconnected meanwhile."""
        with self.transaction():
            yield self.find(Connection, id=connection.id, status=("valid", "partly"))

    def open_session(self, session: str | None = None) -> str:
        """A new session's secret, for the cookie, or another one for a session. The database keeps its hash alone."""
        secret = secrets.token_urlsafe(32)
        self._run("INSERT INTO sessions (secret, id) VALUES (?, ?)", _hashed(secret), session or new_id())
        return secret

    def session_of(self, secret: str) -> str | None:
        """The session that a cookie names; None if there is no such session, or it is too old.

        A secret that is used ends those that the session had before it. So a browser that never got the new one, since
        the answer was lost, goes on with the old one.
        """
        rows = self._run(
            "SELECT id, rowid FROM sessions WHERE secret = ? AND started > datetime('now', ?)",
            _hashed(secret),
            f"-{VALID_FOR.days} days",
        )
        if not rows:
            return None
        session, number = rows[0]
        if self._run("SELECT 1 FROM sessions WHERE id = ? AND rowid < ?", session, number):
            self._run("DELETE FROM sessions WHERE id = ? AND rowid < ?", session, number)
        return str(session)

    def add(self, record: R) -> R:
        """Saves a new row. One that has the id already is left as it is."""
        names = [each.name for each in fields(record)]
        values = [_written(getattr(record, name)) for name in names]
        marks = ", ".join("?" * len(names))
        statement = f"INSERT OR IGNORE INTO {record.table} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608
        self._run(statement, *values)
        return record

    def change(self, record: R, **values: Any) -> R:
        """Saves some columns of a row, whatever it is by now, and leaves the others to whoever writes them."""
        self.change_if(record, {}, **values)
        return replace(record, **values)

    def change_if(self, record: Record, still: dict[str, Any], **values: Any) -> bool:
        """The same, if the row still has these values (of a tuple: one of them). Returns whether it had."""
        marks = ", ".join(f"{name} = ?" for name in values)
        condition, known = _condition({"id": record.id, **still})
        statement = f"UPDATE {record.table} SET {marks} WHERE {condition}"  # noqa: S608
        return self._db.execute(statement, [*map(_written, values.values()), *known]).rowcount == 1

    def remove_if(self, record: Record, still: dict[str, Any]) -> None:
        """Deletes a row, if it still has these values."""
        condition, known = _condition({"id": record.id, **still})
        self._run(f"DELETE FROM {record.table} WHERE {condition}", *known)  # noqa: S608

    def saw(self, payment: SavedPayment, status: str) -> SavedPayment:
        """Saves a status that was read, unless somebody has saved another one meanwhile. Returns the row."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self.change_if(payment, {"status": payment.status}, status=status, status_at=now)
        return self.find(SavedPayment, id=payment.id) or payment

    def find(self, kind: type[R], **where: Any) -> R | None:
        """The newest row with these values, or None."""
        found = self.all(kind, **where)
        return found[-1] if found else None

    def all(self, kind: type[R], **where: Any) -> list[R]:
        """The rows with these values, the oldest first."""
        condition, known = _condition(where)
        statement = f"SELECT * FROM {kind.table} WHERE {condition} ORDER BY rowid"  # noqa: S608
        return [_read(kind, row) for row in self._run(statement, *known)]

    def known_transactions(self, connection: str, account: str) -> list[dict[str, Any]]:
        """What the nightly job has read of an account: `to_dict()`s, each with a `booked` beside it."""
        rows = self._run(
            "SELECT booked, data FROM transactions WHERE connection = ? AND account = ? ORDER BY rowid",
            connection,
            account,
        )
        return [{"booked": bool(row["booked"]), "data": json.loads(row["data"])} for row in rows]

    def keep_transactions(
        self, connection: str, account: str, rows: list[tuple[str, bool, str | None, dict[str, Any]]]
    ) -> None:
        """Puts rows (key, booked, day, `to_dict()`) in the place of those that are there. For a `transaction`."""
        self._run("DELETE FROM transactions WHERE connection = ? AND account = ?", connection, account)
        self._db.executemany(
            "INSERT OR REPLACE INTO transactions VALUES (?, ?, ?, ?, ?, ?)",
            [(connection, account, key, booked, day, json.dumps(data)) for key, booked, day, data in rows],
        )

    def take_over(self, old: Connection, new: Connection) -> None:
        """Gives what belongs to a connection to the one that takes its place: links to its accounts go on working."""
        for table in ("accounts", "transactions", "payments"):
            self._run(f"UPDATE OR REPLACE {table} SET connection = ? WHERE connection = ?", new.id, old.id)  # noqa: S608
        self.change(old, status="ended", note=None)

    def forget(self, connection: str) -> None:
        """Deletes what was read through a connection: the user has taken the consent back."""
        self._run("DELETE FROM cursors WHERE account IN (SELECT id FROM accounts WHERE connection = ?)", connection)
        self._run("DELETE FROM transactions WHERE connection = ?", connection)
        self._run("DELETE FROM accounts WHERE connection = ?", connection)

    def _run(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        """Runs a statement. Names in it are those of the classes above, and never a user's; values go beside it."""
        return self._db.execute(statement, values).fetchall()


def _hashed(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def _written(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value


def _condition(where: dict[str, Any]) -> tuple[str, list[Any]]:
    """What a row has to be, and the values for the marks."""
    parts, values = ["1"], list[Any]()
    for name, value in where.items():
        several: list[Any] = [*value] if isinstance(value, tuple) else [value]
        parts.append("(" + " OR ".join([f"{name} IS ?"] * len(several)) + ")")
        values += several
    return " AND ".join(parts), values


def _read(kind: type[R], row: sqlite3.Row) -> R:
    names = [each.name for each in fields(kind)]
    values: dict[str, Any] = {name: row[name] for name in names}
    for name in kind.json:
        values[name] = json.loads(values[name] or "null")
    return kind(**values)
