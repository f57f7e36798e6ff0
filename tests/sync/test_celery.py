from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest
from support.servers import celery
from support.servers.process import running
from support.sync import serving
from support.sync.servers import CLIENT, RATE, Arrivals

from iprog_async.testing import RawGateway, answer


pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="Celery's prefork pool needs fork"),
    pytest.mark.skipif(find_spec("celery") is None, reason="needs celery"),
]

# Messages and results are files: no service is needed.
_TASKS = (
    CLIENT
    + """
import threading
from celery import Celery
from celery.signals import worker_process_shutdown

app = Celery("tasks", broker="filesystem://", backend="file://results")
app.conf.broker_transport_options = {
    "data_folder_in": "queue", "data_folder_out": "queue", "control_folder": "control",
    "polling_interval": 0.05,
}

@worker_process_shutdown.connect
def close(**_):
    sms.close()

@app.task
def text(place):
    key = str(place % 40)
    receipt = sms.send(f"+63917{place % 40:07}", f"{os.getpid()} {key}", key=key)
    threads = sum(thread.name == "iprog-async" for thread in threading.enumerate())
    return [receipt.ref, threads]
"""
)


@pytest.mark.parametrize("before", ["", "used before"])
def test_prefork_pool(before: str, tmp_path: Path) -> None:
    """Three processes of a worker text each of 40 keys once, though a task comes twice."""
    for name in ("queue", "control", "results"):
        (tmp_path / name).mkdir()
    (tmp_path / "tasks.py").write_text(_TASKS, encoding="utf-8")
    arrivals = Arrivals()
    with serving(RawGateway(answer(arrivals))) as gateway:
        environment = {**os.environ, "GATEWAY": gateway.base_url, "C_FORCE_ROOT": "1"}
        command = celery.worker("tasks", tmp_path)
        with running(
            *command, directory=tmp_path, environment=environment | {"BEFORE": before}
        ) as server:
            server.wait_for("(ready)")
            calls = [[place] for place in range(80)]
            answers: list[tuple[str, int]] = celery.ask(
                "tasks", "text", calls, directory=tmp_path, environment=environment
            )

    assert [ref for ref, _ in answers[:40]] == [ref for ref, _ in answers[40:]]
    texts = [text for text in arrivals.texts if "before" not in text]
    assert (40, 40) == (len(texts), len({text.split()[1] for text in texts}))
    assert {1} == {threads for _, threads in answers}
    assert arrivals.most_in_a_window <= RATE[0]
