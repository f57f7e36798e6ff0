"""Recorded and documented answers, replayed through both flavours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import respx
from support.infopromo.wire import FLAVOURS, HOST, OPERATIONS, connect, outcome_of


FOLDER = Path(__file__).parents[2] / "samples" / "infopromo"
SAMPLES: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))
}


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
async def test_sample_means_what_its_file_says(
    respx_mock: respx.MockRouter, sample: dict[str, Any], flavour: str
) -> None:
    """Each stored answer gives the outcome, value or error that its file expects."""
    text = sample.get("body_text", json.dumps(sample.get("body")))
    respx_mock.route(url__startswith=HOST).respond(
        sample["http_status"], headers=sample["headers"], text=text
    )
    async with connect(FLAVOURS[flavour]()) as sms:
        result = await outcome_of(OPERATIONS[sample["operation"]], sms)

    assert sample["expect"] == result
    assert len(respx_mock.calls) == 1


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
def test_sample_says_how_far_to_trust_it(sample: dict[str, Any]) -> None:
    """Every file carries a known mark, where it comes from, and an operation that exists."""
    assert sample["mark"] in ("LOG", "SRC", "DOC", "CLI", "INFER")
    assert sample["source"].strip()
    assert sample["operation"] in OPERATIONS
