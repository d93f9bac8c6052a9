"""Items and where they are kept: one SQLite table, in memory or in a file."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import BaseModel, Field


class NewItem(BaseModel):
    name: str = Field(min_length=1, max_length=100)
    price_cents: int = Field(ge=0, le=100_000_000)
    stock: int = Field(default=0, ge=0)


class Item(NewItem):
    id: int


class StoreIsFull(Exception):
    """The limit of items is reached."""


SCHEMA = """
CREATE TABLE IF NOT EXISTS items (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    price_cents INTEGER NOT NULL,
    stock INTEGER NOT NULL
)
"""


class ItemStore:
    """All requests share one connection; the lock keeps each transaction to itself."""

    def __init__(self, database: str, item_limit: int) -> None:
        self._connection = sqlite3.connect(database, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._lock = threading.Lock()
        self._item_limit = item_limit
        with self._transaction() as connection:
            connection.execute(SCHEMA)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._connection:
            yield self._connection

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def count(self) -> int:
        with self._transaction() as connection:
            return connection.execute("SELECT count(*) FROM items").fetchone()[0]

    def list(self, offset: int = 0, limit: int = 100) -> list[Item]:
        with self._transaction() as connection:
            rows = connection.execute("SELECT * FROM items ORDER BY id LIMIT ? OFFSET ?", (limit, offset))
            return [Item(**row) for row in rows]

    def get(self, item_id: int) -> Item | None:
        with self._transaction() as connection:
            row = connection.execute("SELECT * FROM items WHERE id = ?", (item_id,)).fetchone()
        return Item(**row) if row else None

    def add(self, item: NewItem) -> Item:
        with self._transaction() as connection:
            if connection.execute("SELECT count(*) FROM items").fetchone()[0] >= self._item_limit:
                raise StoreIsFull
            cursor = connection.execute(
                "INSERT INTO items (name, price_cents, stock) VALUES (:name, :price_cents, :stock)", item.model_dump()
            )
        return Item(id=cursor.lastrowid, **item.model_dump())

    def replace(self, item_id: int, item: NewItem) -> Item | None:
        with self._transaction() as connection:
            cursor = connection.execute(
                "UPDATE items SET name = :name, price_cents = :price_cents, stock = :stock WHERE id = :id",
                {**item.model_dump(), "id": item_id},
            )
        return Item(id=item_id, **item.model_dump()) if cursor.rowcount else None

    def remove(self, item_id: int) -> bool:
        with self._transaction() as connection:
            return connection.execute("DELETE FROM items WHERE id = ?", (item_id,)).rowcount > 0
