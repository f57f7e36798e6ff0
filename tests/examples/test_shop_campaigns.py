from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import httpx
import pytest
from support.shop import campaign, open_shop, order, until_ended
from support.waiting import LONG

from iprog_async.sandbox import Fault, Sandbox


SLOW = Fault("POST /iprog/*", "delay", times=None, delay=0.05)


async def until_texted(sandbox: Sandbox, count: int) -> None:
    """Wait until so many texts are in the inbox."""
    async with asyncio.timeout(LONG):
        while len(sandbox.inbox) < count:  # noqa: ASYNC110 - another thread fills it
            await asyncio.sleep(0.005)


def twice(sandbox: Sandbox) -> list[str]:
    """Return the numbers that got more than one text."""
    numbers = Counter(text.to for text in sandbox.inbox)
    return [number for number, count in numbers.items() if count > 1]


@pytest.mark.slow
async def test_progress_grows_until_everybody_is_texted(sandbox: Sandbox, tmp_path: Path) -> None:
    """The request returns at once, counts are seen on the way, bad rows are named at the end."""
    sandbox.add_fault(SLOW)
    body = campaign(150)
    body["people"].append({"phone": "12", "name": "Cy"})
    async with open_shop(tmp_path) as client:
        started = await client.put("/campaigns/june", json=body)
        second = await client.put("/campaigns/june", json=body)
        await until_texted(sandbox, 60)
        halfway = (await client.get("/campaigns/june")).json()
        ended = await until_ended(client, "june")

    assert (202, 409) == (started.status_code, second.status_code)
    assert ("running", 151) == (halfway["state"], halfway["total"])
    assert 0 < halfway["accepted"] < 150
    assert ("finished", 150, 1, 0) == tuple(
        ended[key] for key in ("state", "accepted", "not_sent", "unknown")
    )
    assert [(150, "not sent")] == [(row["row"], row["text"]) for row in ended["rows"]]
    assert "'12'" in ended["rows"][0]["why"]
    assert 150 == len(sandbox.inbox)


@pytest.mark.slow
async def test_a_stopped_campaign_goes_on_when_it_is_started_again(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """Stopping lets what is on its way end; starting again texts the others, and nobody twice."""
    sandbox.add_fault(SLOW)
    async with open_shop(tmp_path) as client:
        await client.put("/campaigns/june", json=campaign(200))
        await until_texted(sandbox, 20)
        stopping = await client.post("/campaigns/june/stop")
        stopped = await until_ended(client, "june")
        texted = len(sandbox.inbox)
    async with open_shop(tmp_path) as client:
        remembered = (await client.get("/campaigns/june")).json()
        await client.put("/campaigns/june", json=campaign(200))
        ended = await until_ended(client, "june")

    assert 202 == stopping.status_code
    assert ("stopped", texted) == (stopped["state"], stopped["accepted"])
    assert 20 <= texted < 200
    assert stopped == remembered
    assert ("finished", 200, texted) == (ended["state"], ended["accepted"], ended["resumed"])
    assert 200 == len(sandbox.inbox)
    assert [] == twice(sandbox)


@pytest.mark.slow
async def test_a_restart_goes_on_with_what_it_interrupts(sandbox: Sandbox, tmp_path: Path) -> None:
    """The app is shut down in the middle; the next one texts the rest without being asked."""
    sandbox.add_fault(SLOW)
    async with open_shop(tmp_path) as client:
        await client.put("/campaigns/june", json=campaign(200))
        await until_texted(sandbox, 20)
    texted = len(sandbox.inbox)
    async with open_shop(tmp_path) as client:
        ended = await until_ended(client, "june")
    async with open_shop(tmp_path) as client:
        remembered = (await client.get("/campaigns/june")).json()

    assert 20 <= texted < 200
    assert ("finished", 200, texted) == (ended["state"], ended["accepted"], ended["resumed"])
    assert ended == remembered
    assert 200 == len(sandbox.inbox)
    assert [] == twice(sandbox)


@pytest.mark.slow
async def test_an_order_is_confirmed_while_a_campaign_runs(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """Half of the connections stay free for those who wait for an answer."""
    sandbox.add_fault(SLOW)
    async with open_shop(tmp_path) as client:
        await client.put("/campaigns/june", json=campaign(300))
        await until_texted(sandbox, 20)
        placed = await client.post("/orders", json=order())
        progress = (await client.get("/campaigns/june")).json()

    assert (201, "running") == (placed.status_code, progress["state"])


@pytest.mark.slow
async def test_an_empty_account_halts_a_campaign_until_it_is_filled(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """Callers read that it halted, in the shop's words; the rest goes out afterwards."""
    sandbox.set_credit("iprog", 30)
    async with open_shop(tmp_path) as client:
        await client.put("/campaigns/june", json=campaign(200))
        halted = await until_ended(client, "june")
        sandbox.set_credit("iprog", 1000)
        await client.put("/campaigns/june", json=campaign(200))
        ended = await until_ended(client, "june")

    assert ("halted", 30) == (halted["state"], halted["accepted"])
    assert "No text can be sent at the moment; it was not sent." == halted["why"]
    assert ("finished", 200) == (ended["state"], ended["accepted"])
    assert [] == twice(sandbox)


async def test_another_text_under_the_same_name_reaches_nobody(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """A typo fixed in the text does not text everybody again."""
    async with open_shop(tmp_path) as client:
        await client.put("/campaigns/june", json=campaign(3))
        await until_ended(client, "june")
        await client.put("/campaigns/june", json=campaign(3, text="Hello {name}"))
        ended = await until_ended(client, "june")

    assert (0, 3) == (ended["accepted"], ended["not_sent"])
    assert 3 == len(sandbox.inbox)


async def test_a_preview_texts_nobody(sandbox: Sandbox, tmp_path: Path) -> None:
    """It counts recipients, segments and what is wrong."""
    body = campaign(3)
    body["people"].append({"phone": "12", "name": "Cy"})
    async with open_shop(tmp_path) as client:
        plan = (await client.post("/campaigns/june/preview", json=body)).json()
        unknown = await client.get("/campaigns/june")

    assert (3, 3, 1) == (plan["recipients"], plan["segments"], plan["invalid"])
    assert 404 == unknown.status_code
    assert [] == sandbox.inbox


async def _upload(client: httpx.AsyncClient, rows: str) -> httpx.Response:
    return await client.put(
        "/campaigns/june/csv", params={"text": "Hi {name}"}, content=rows.encode()
    )


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "as-spreadsheets-save-it"])
async def test_a_csv_file_is_a_campaign(sandbox: Sandbox, tmp_path: Path, mark: str) -> None:
    """Each row of the file is texted by its name."""
    async with open_shop(tmp_path) as client:
        await _upload(client, f"{mark}phone,name\n09171234567,Ann\n09181234567,Ben\n")
        ended = await until_ended(client, "june")

    assert ("finished", 2) == (ended["state"], ended["accepted"])
    assert {"Hi Ann", "Hi Ben"} == {text.text for text in sandbox.inbox}


@pytest.mark.parametrize(
    "rows", ["number,name\n09171234567,Ann\n", "phone,name\n09171234567,\n", "phone,name\n", ""]
)
async def test_a_file_with_holes_texts_nobody(sandbox: Sandbox, tmp_path: Path, rows: str) -> None:
    """A missing column, a missing name or no row at all is refused as a whole."""
    async with open_shop(tmp_path) as client:
        answer = await _upload(client, rows)

    assert 422 == answer.status_code
    assert [] == sandbox.inbox


@pytest.mark.parametrize("name", ["..%2Ftexts", "June", "a" * 41])
async def test_a_name_leads_to_no_other_file(tmp_path: Path, sandbox: Sandbox, name: str) -> None:
    """What could be a path is no name of a campaign."""
    async with open_shop(tmp_path) as client:
        answer = await client.put(f"/campaigns/{name}", json=campaign(1))

    assert answer.status_code in (404, 405, 422)
    assert [] == sandbox.inbox
