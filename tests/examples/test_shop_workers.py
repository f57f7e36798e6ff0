"""The shop with several workers that are killed: each order is one text, and has one answer.

`pytest tests/examples --slow --orders 10000` takes more of them than the usual run.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path

import httpx
import pytest
from support.kill.gateway import CountingGateway
from support.servers.answers import Told, ask_twice
from support.servers.process import LISTENING, running
from support.shop import order
from support.waiting import LONG

from iprog_async import JournalReader


pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(os.name == "nt", reason="SIGKILL is a signal of POSIX systems"),
]

_WORKERS, _CALLERS = 4, 40
_KILLS = 6


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return where the journal of orders is."""
    if request.param == "SQLite":
        return str(tmp_path / "data" / "texts.db")
    address: str = request.getfixturevalue("postgres_journal")
    return address


async def test_each_order_is_one_text(
    journal: str, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """Of orders that are placed twice each, at any worker, none is texted or answered twice."""
    orders = range(int(str(pytestconfig.getoption("--orders"))))
    examples = str(Path(__file__).parents[2] / "examples")
    options = ["--app-dir", examples, "--workers", str(_WORKERS), "--port", "0"]
    with CountingGateway() as gateway:
        environment = (
            os.environ
            | {"SMS_URL": f"iprog://shop-token@?base_url={gateway.base_url}"}
            | {"SHOP_DATA": str(tmp_path / "data"), "SHOP_JOURNAL": journal}
        )
        command = ["uvicorn", "--factory", "shop:create_app", *options]
        with running(*command, directory=tmp_path, environment=environment) as server:
            address = server.wait_for(LISTENING)
            server.wait_for("Application startup (complete)")
            # A connection for each request: any worker may get it.
            headers = {"Connection": "close"}
            async with httpx.AsyncClient(base_url=address, timeout=LONG, headers=headers) as client:

                async def place(number: int) -> Told:
                    placed = order(str(number), phone=f"0917{number:07}")
                    answer = await client.post("/orders", json=placed)
                    match answer.status_code:
                        case 201:
                            return "sent", answer.json()["ref"]
                        case 202:
                            return "unknown", None
                        case _:
                            return "not sent", None

                answers = await ask_twice(
                    server,
                    orders,
                    place,
                    callers=_CALLERS,
                    kills=_KILLS,
                    moments=random.Random(),  # noqa: S311 - moments, not secrets
                )
            assert "Application startup failed" not in server.told

    texts = Counter({f"{to} {text}": times for (to, text), times in gateway.texts.items()})
    answers.check(orders, texts, most_unknown=_KILLS * _CALLERS)
    with JournalReader.open(journal) as reader:
        counts = await reader.counts()
    assert (len(answers.refs), len(answers.unknown)) == (counts["accepted"], counts["unknown"])
