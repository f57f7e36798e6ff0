"""Texts to many in the background: start, look, stop."""

from __future__ import annotations

import csv
from typing import Annotated, Any

from fastapi import APIRouter, Body, HTTPException, Path, Query
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from shop.campaign_desk import AlreadyRunningError
from shop.campaign_files import Campaign
from shop.campaign_progress import Progress
from shop.services import Campaigns


router = APIRouter(prefix="/campaigns/{name}", tags=["campaigns"])

Name = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]


@router.put("", status_code=202)
async def start(name: Name, campaign: Campaign, campaigns: Campaigns) -> Progress:
    """Start texting; the same list again goes on with it, and texts nobody twice."""
    try:
        return campaigns.start(name, campaign)
    except AlreadyRunningError as exc:
        raise HTTPException(409, str(exc)) from exc


@router.put("/csv", status_code=202)
async def start_csv(
    name: Name,
    text: Annotated[str, Query(min_length=1)],
    rows: Annotated[str, Body(media_type="text/csv")],
    campaigns: Campaigns,
) -> Progress:
    """Start texting everybody in a CSV file with the columns `phone` and `name`."""
    return await start(name, read_campaign(text, rows), campaigns)


@router.post("/preview")
async def preview(campaign: Campaign, campaigns: Campaigns) -> dict[str, Any]:
    """Tell how many texts and segments starting would send; nobody is texted."""
    return (await campaigns.preview(campaign)).to_dict()


@router.get("")
async def progress(name: Name, campaigns: Campaigns) -> Progress:
    """Tell how far it has come."""
    return _found(campaigns.progress(name))


@router.post("/stop", status_code=202)
async def stop(name: Name, campaigns: Campaigns) -> Progress:
    """Send nothing more; what is on its way still comes to its outcome."""
    campaigns.stop(name)
    return _found(campaigns.progress(name))


def read_campaign(text: str, rows: str) -> Campaign:
    """Read a CSV file with a header.

    Raises:
        RequestValidationError: A column or a name is missing, or there is no row; FastAPI
            answers with HTTP 422.
    """
    people = list(csv.DictReader(rows.removeprefix("\ufeff").splitlines()))
    try:
        return Campaign.model_validate({"text": text, "people": people})
    except ValidationError as exc:
        raise RequestValidationError(exc.errors(include_url=False)) from exc


def _found(progress: Progress | None) -> Progress:
    if progress is None:
        raise HTTPException(404, "There is no such campaign.")
    return progress
