"""Stores an order and the text about it in one transaction of asyncpg.

    python examples/outbox/with_asyncpg.py 42 "0917 123 4567"

The database is at `DATABASE_URL`; `sender.py` sends the text.
"""

from __future__ import annotations

import asyncio
import os
import sys

import asyncpg

from iprog_async import Message
from iprog_async.outbox import enqueue


async def place(order: int, phone: str) -> None:
    """Store an order, and have its customer told; both or neither."""
    connection = await asyncpg.connect(os.environ["DATABASE_URL"])
    try:
        async with connection.transaction():
            await connection.execute(
                "CREATE TABLE IF NOT EXISTS orders (id int PRIMARY KEY, phone text)"
            )
            await connection.execute("INSERT INTO orders VALUES ($1, $2)", order, phone)
            text = Message(phone, f"Order {order} is on its way.", key=f"order-{order}")
            await enqueue(text, connection=connection, region="PH")
    finally:
        await connection.close()


if __name__ == "__main__":
    asyncio.run(place(int(sys.argv[1]), sys.argv[2]))
