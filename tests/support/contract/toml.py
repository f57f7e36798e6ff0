"""Gateways that files describe, as the contract sees them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote

from iprog_async import AuthenticationError
from iprog_async.testing import ContractCase, Operation, Reply
from iprog_async_providers import HttpProvider
from support.contract.data import PHILIPPINE, TOKEN


FILES = Path(__file__).parents[2] / "samples" / "toml"


def described_by(name: str) -> Callable[[str], HttpProvider]:
    """Return what builds the provider of one of the files."""
    return lambda url: HttpProvider.from_toml(
        FILES / name, credentials={"ACME_SMS_KEY": TOKEN}, base_url=url
    )


def _success(numbers: Sequence[str]) -> Reply:
    data = {"id": f"text-{numbers[0]}", "price": "0.50"}
    return Reply.of_json({"state": "queued", "data": data}, 201)


TOML = ContractCase(
    name="toml",
    make=described_by("acme.toml"),
    variants={
        "form": described_by("acme_form.toml"),
        # A GET that sends.
        "query": described_by("acme_query.toml"),
    },
    numbers=PHILIPPINE[:6],
    bad_numbers=["+63 2 8123 4567"],
    success=_success,
    unknown_error=Reply.of_json({"state": "error", "error": "Something else went wrong."}, 422),
    refusal=Reply.of_json({"state": "error", "error": "Unknown key"}, 401),
    refusal_error=AuthenticationError,
    secrets=[TOKEN],
    address=f"{{scheme}}://{{secret}}@?file={quote(str(FILES / 'acme.toml'), safe='')}"
    "&base_url={base_url}",
    reads={
        "status": Operation(
            call=lambda provider: provider.status("text-1"),
            reply=Reply.of_json({"state": "delivered"}),
        ),
        "balance": Operation(
            call=lambda provider: provider.balance(), reply=Reply.of_json({"credit": "12.50"})
        ),
    },
)
