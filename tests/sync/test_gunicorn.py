from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.servers.process import LISTENING, running
from support.sync import serving
from support.sync.servers import CLIENT, RATE, Arrivals
from support.waiting import LONG

from iprog_async.testing import RawGateway, answer


pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="gunicorn needs fork"),
    pytest.mark.skipif(find_spec("gunicorn") is None, reason="needs gunicorn"),
    pytest.mark.skipif(find_spec("flask") is None, reason="needs flask"),
]

_APP = (
    CLIENT
    + """
import threading
from flask import Flask, request

app = Flask(__name__)

@app.post("/texts/<key>")
def text(key):
    receipt = sms.send(request.form["to"], f"{os.getpid()} {key}", key=key)
    threads = sum(thread.name == "iprog-async" for thread in threading.enumerate())
    return {"ref": receipt.ref, "process": os.getpid(), "threads": threads}
"""
)

_KINDS = {
    "gthread": ["--worker-class", "gthread", "--workers", "2", "--threads", "25"],
    "prefork": ["--worker-class", "sync", "--workers", "4"],
}
_PRELOADED = {"": [], "preload": ["--preload"], "preload, used before": ["--preload"]}


@pytest.mark.parametrize("preload", _PRELOADED)
@pytest.mark.parametrize("kind", _KINDS)
def test_one_pool_and_one_rate_in_each_process(kind: str, preload: str, tmp_path: Path) -> None:
    """Fifty threads ask for each of 60 keys twice: 60 texts, in the rate, and no error at all."""
    (tmp_path / "app.py").write_text(_APP, encoding="utf-8")
    arrivals = Arrivals()
    options = [*_KINDS[kind], *_PRELOADED[preload], "--bind", "127.0.0.1:0", "--timeout", str(LONG)]
    # On a busy machine, too, no connection is closed just when the next request comes.
    options += ["--keep-alive", str(LONG)]
    with serving(RawGateway(answer(arrivals))) as gateway:
        before = "yes" if "used" in preload else ""
        environment = {**os.environ, "GATEWAY": gateway.base_url, "BEFORE": before}
        with running(
            "gunicorn", *options, "app:app", directory=tmp_path, environment=environment
        ) as server:
            address = server.wait_for(LISTENING)

            def ask(place: int) -> dict[str, Any]:
                form = {"to": f"+63917{place % 60:07}"}
                answered = client.post(f"/texts/{place % 60}", data=form)
                assert 200 == answered.status_code, server.told
                found: dict[str, Any] = answered.json()
                return found

            with (
                httpx.Client(base_url=address, timeout=LONG) as client,
                ThreadPoolExecutor(50) as threads,
            ):
                answers = [*threads.map(ask, range(120))]
        connections = gateway.gateway.connections

    assert [one["ref"] for one in answers[:60]] == [one["ref"] for one in answers[60:]]
    texts = [text for text in arrivals.texts if "before" not in text]
    assert (60, 60) == (len(texts), len({text.split()[1] for text in texts}))
    assert {1} == {one["threads"] for one in answers}
    # Of each process that sent, the one that forked the others off may be among them.
    assert connections <= 4 * len(arrivals.times)
    assert arrivals.most_in_a_window <= RATE[0]
