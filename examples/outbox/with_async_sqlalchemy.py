"""Stores an order and the text about it in one transaction of SQLAlchemy's AsyncSession.

    python examples/outbox/with_async_sqlalchemy.py 42 "0917 123 4567"

The database is at `DATABASE_URL`; `sender.py` sends the text. It goes through any driver that
SQLAlchemy has for PostgreSQL, here psycopg.
"""

from __future__ import annotations

import asyncio
import os
import sys

from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from iprog_async import Message
from iprog_async.outbox import enqueue


class Base(DeclarativeBase):
    """What the tables of this program have in common."""


class Order(Base):
    """What somebody bought."""

    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    phone: Mapped[str]


async def place(order: int, phone: str) -> None:
    """Store an order, and have its customer told; both or neither."""
    url = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+psycopg_async")
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with AsyncSession(engine) as session, session.begin():
        session.add(Order(id=order, phone=phone))
        text = Message(phone, f"Order {order} is on its way.", key=f"order-{order}")
        await enqueue(text, connection=session, region="PH")
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(place(int(sys.argv[1]), sys.argv[2]))
