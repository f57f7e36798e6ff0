"""A Celery task that texts: `celery -A celery_app worker --concurrency 4`."""

import os
from functools import cache
from pathlib import Path
from typing import Any

from celery import Celery, Task
from celery.signals import worker_process_shutdown

from iprog_async import SmsError
from iprog_async.sync import SmsClient


# Messages and results are files here, so that it runs without a service.
for folder in ("queue", "control", "results"):
    Path(folder).mkdir(exist_ok=True)
app = Celery("texts", broker="filesystem://", backend="file://results")
app.conf.broker_transport_options = {
    "data_folder_in": "queue",
    "data_folder_out": "queue",
    "control_folder": "control",
}


@cache
def get_sms() -> SmsClient[Any]:
    """Return the one client of this process; it is made when the first text is sent."""
    journal = os.environ.get("TEXTS_JOURNAL", "texts.db")
    return SmsClient.from_env(journal=journal, deadline=30)


@worker_process_shutdown.connect
def close(**_: Any) -> None:
    """Let the texts that are on their way come to their end."""
    get_sms().close()


# With these two, a task whose process was killed comes again: the key makes that harmless.
@app.task(bind=True, acks_late=True, reject_on_worker_lost=True, max_retries=5)
def shipped(self: Task[Any, Any], order: str, phone: str) -> dict[str, str | None]:
    """Tell a customer that the order is on its way, once, however often the task comes."""
    try:
        receipt = get_sms().send(phone, f"Order {order} has shipped.", key=f"shipped-{order}")
    except SmsError as error:
        if error.may_have_been_sent:
            return {"sent": "unknown"}  # the task ends here: a retry would prove nothing
        if error.healable:
            raise self.retry(exc=error, countdown=10 * 2**self.request.retries) from error
        raise
    return {"sent": "yes", "ref": receipt.ref}
