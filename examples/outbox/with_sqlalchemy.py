"""Stores an order and the text about it in one transaction of SQLAlchemy's ORM, synchronously.

    python examples/outbox/with_sqlalchemy.py 42 "0917 123 4567"

The database is at `DATABASE_URL`; `sender.py` sends the text. A connection of SQLAlchemy's Core is
handed over in the same way.
"""

from __future__ import annotations

import os
import sys

from sqlalchemy import create_engine, make_url
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from iprog_async import Message
from iprog_async.outbox import enqueue_sync


class Base(DeclarativeBase):
    """What the tables of this program have in common."""


class Order(Base):
    """What somebody bought."""

    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    phone: Mapped[str]


def place(order: int, phone: str) -> None:
    """Store an order, and have its customer told; both or neither."""
    url = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+psycopg")
    engine = create_engine(url)
    Base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        session.add(Order(id=order, phone=phone))
        text = Message(phone, f"Order {order} is on its way.", key=f"order-{order}")
        enqueue_sync(text, connection=session, region="PH")
    engine.dispose()


if __name__ == "__main__":
    place(int(sys.argv[1]), sys.argv[2])
