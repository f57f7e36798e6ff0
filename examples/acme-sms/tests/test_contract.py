"""What holds for every adapter of iprog-async holds for this one."""

from __future__ import annotations

from collections.abc import Sequence

from acme_sms import AcmeProvider
from iprog_async import AuthenticationError
from iprog_async.testing import ContractCase, Operation, ProviderContract, Reply


KEY = "acme|key/with+odd-characters"


def sent(numbers: Sequence[str]) -> Reply:
    """Answer as Acme does when it takes a text."""
    return Reply.of_json({"id": f"text-{numbers[0]}"})


class TestAcme(ProviderContract):
    """The contract, for Acme."""

    case = ContractCase(
        name="acme",
        make=lambda url: AcmeProvider(KEY, base_url=url),
        numbers=[f"+63917123456{digit}" for digit in range(6)],
        success=sent,
        unknown_error=Reply.of_json({"error": "Something else went wrong."}, status=500),
        refusal=Reply.of_json({"error": "Unknown key"}, status=401),
        refusal_error=AuthenticationError,
        secrets=[KEY],
        reads={
            "status": Operation(
                call=lambda provider: provider.status("text-1"),
                reply=Reply.of_json({"id": "text-1", "state": "delivered"}),
            ),
            "balance": Operation(
                call=lambda provider: provider.balance(),
                reply=Reply.of_json({"credit": "12.50", "currency": "PHP"}),
            ),
        },
        bad_numbers=["+63 2 8123 4567"],
    )
