"""Stores an order and the text about it in one transaction of psycopg.

    python examples/outbox/with_psycopg.py 42 "0917 123 4567"

The database is at `DATABASE_URL`; `sender.py` sends the text.
"""

from __future__ import annotations

import asyncio
import os
import sys

import psycopg

from iprog_async import Message
from iprog_async.outbox import enqueue


async def place(order: int, phone: str) -> None:
    """Store an order, and have its customer told; both or neither."""
    async with await psycopg.AsyncConnection.connect(os.environ["DATABASE_URL"]) as connection:
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS orders (id int PRIMARY KEY, phone text)"
        )
        await connection.execute("INSERT INTO orders VALUES (%s, %s)", [order, phone])
        text = Message(phone, f"Order {order} is on its way.", key=f"order-{order}")
        await enqueue(text, connection=connection, region="PH")
    # Leaving the block has committed; an error would have rolled back, and nobody is texted.


if __name__ == "__main__":
    asyncio.run(place(int(sys.argv[1]), sys.argv[2]))
