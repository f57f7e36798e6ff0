"""Stores an order and the text about it in one transaction of Django.

    python examples/outbox/with_django.py 42 "0917 123 4567"

The database is at `DATABASE_URL`; `sender.py` sends the text. A project has the settings in a file
of its own; what is in `place` is the same in a view.
"""

from __future__ import annotations

import os
import sys

import django
from django.conf import settings
from django.db import connection, transaction
from psycopg.conninfo import conninfo_to_dict

from iprog_async import Message
from iprog_async.outbox import enqueue_sync


def configure() -> None:
    """Do what a project's settings do."""
    given = conninfo_to_dict(os.environ["DATABASE_URL"])
    names = {"dbname": "NAME", "host": "HOST", "port": "PORT", "user": "USER"}
    database = {name: given[key] for key, name in names.items() if key in given}
    database |= {"PASSWORD": given.get("password", "")}
    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", **database}}
    )
    django.setup()


def place(order: int, phone: str) -> None:
    """Store an order, and have its customer told; both or neither."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE IF NOT EXISTS orders (id int PRIMARY KEY, phone text)")
            cursor.execute("INSERT INTO orders VALUES (%s, %s)", [order, phone])
        text = Message(phone, f"Order {order} is on its way.", key=f"order-{order}")
        enqueue_sync(text, connection=connection, region="PH")


if __name__ == "__main__":
    configure()
    place(int(sys.argv[1]), sys.argv[2])
