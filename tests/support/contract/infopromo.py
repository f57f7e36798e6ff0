"""Infopromo and other Ultimate SMS hosts, as the contract sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from iprog_async import RejectedError
from iprog_async.testing import ContractCase, Make, Operation, Reply
from iprog_async_providers import (
    InfopromoHttpProvider,
    InfopromoProvider,
    UltimateSmsHttpProvider,
    UltimateSmsProvider,
)
from support.contract.data import OTHER_TOKEN, PHILIPPINE, TOKEN


def _enveloped(data: object, message: str | None = None) -> Reply:
    return Reply.of_json({"status": "success", "message": message, "data": data})


def _error(message: str, status: int = 200) -> Reply:
    return Reply.of_json({"status": "error", "message": message}, status)


def _success(numbers: Sequence[str]) -> Reply:
    items = [
        {"uid": f"69fae{number[-4:]}", "to": number, "from": "Shop", "cost": "1", "sms_count": 1}
        for number in numbers
    ]
    if len(items) == 1:
        return _enveloped({**items[0], "status": "Delivered"}, "It was delivered.")
    # Texts to many say "scheduled" even when they went at once.
    listed = [{**item, "customer_status": "Delivered"} for item in items]
    return _enveloped(listed, "Message is scheduled successfully.")


def _partly(numbers: Sequence[str]) -> Reply:
    listed = [
        {"uid": f"69fae{number[-4:]}", "to": number, "customer_status": "Delivered"}
        for number in numbers[1:]
    ]
    reason = f"{numbers[0]} is a invalid phone number"
    return _enveloped(listed, f"{reason} Message is scheduled successfully.")


_READS = {
    "status": Operation(
        call=lambda provider: provider.status("69fae844ac49b"),
        reply=_enveloped({"uid": "69fae844ac49b", "to": "639171234567", "status": "Delivered"}),
    ),
    "balance": Operation(
        call=lambda provider: provider.balance(),
        reply=_enveloped({"remaining_balance": "1,234.50", "expired_on": "3rd Jan 31, 4:05 PM"}),
    ),
    "me": Operation(
        call=lambda provider: provider.me(),
        reply=_enveloped({"email": "shop@example.com", "api_token": OTHER_TOKEN}),
    ),
    "campaign": Operation(
        call=lambda provider: provider.campaigns.get("65f0"),
        reply=_enveloped({"uid": "65f0", "name": "June", "status": "done", "stats": {}}),
    ),
    "contact": Operation(
        call=lambda provider: provider.contacts.search("6040", "6041"),
        reply=_enveloped({"uid": "6041", "phone": "639171234567"}),
    ),
}
_DELETES = {
    "group": Operation(
        call=lambda provider: provider.contacts.groups.delete("6040"),
        reply=_enveloped(None, "Contact group was successfully deleted"),
        gone=_error("No query results for model [ContactGroups] 6040"),
    ),
    "contact": Operation(
        call=lambda provider: provider.contacts.delete("6040", "6041"),
        reply=_enveloped(None, "Contact was successfully deleted"),
        gone=_error("No query results for model [Contacts] 6041"),
    ),
}
_BILLED = {
    "campaign": Operation(
        call=lambda provider: provider.campaigns.send("6040", "Sale!"),
        reply=_enveloped({"uid": "65f0", "campaign_name": "June", "status": "queued"}),
    ),
    "contact": Operation(
        call=lambda provider: provider.contacts.store("6040", "+639171234567"),
        reply=_enveloped({"uid": "6041", "phone": "639171234567"}),
    ),
}


def _case(
    name: str, make: Make, variants: Mapping[str, Make] | None = None, *, preset: bool = True
) -> ContractCase:
    return ContractCase(
        name=name,
        make=make,
        variants=variants or {},
        numbers=PHILIPPINE,
        bad_numbers=["0917 123 4567", "+1 555"],
        success=_success,
        partly=_partly,
        # What an exception after dispatch looks like, too.
        unknown_error=_error("Undefined array key 3"),
        refusal=_error("Your message contains spam words.", 404),
        refusal_error=RejectedError,
        secrets=[TOKEN, OTHER_TOKEN],
        address="{scheme}://{secret}@?sender_id=Shop&base_url={base_url}",
        reads=_READS if preset else {},
        deletes=_DELETES if preset else {},
        billed=_BILLED if preset else {},
    )


INFOPROMO = _case("infopromo", lambda url: InfopromoProvider(TOKEN, sender_id="Shop", base_url=url))
INFOPROMO_HTTP = _case(
    "infopromo-http",
    lambda url: InfopromoHttpProvider(TOKEN, sender_id="Shop", base_url=url),
    {
        "query": lambda url: InfopromoHttpProvider(
            TOKEN, sender_id="Shop", base_url=url, token_in="query"
        ),
        # The documented GET form: a GET that sends.
        "get": lambda url: InfopromoHttpProvider(
            TOKEN, sender_id="Shop", base_url=url, send_with="GET"
        ),
    },
)
# The same code as above, for other hosts: here the size of a request differs.
ULTIMATESMS = _case(
    "ultimatesms",
    lambda url: UltimateSmsProvider(TOKEN, sender_id="Shop", base_url=url, max_batch=40),
    preset=False,
)
ULTIMATESMS_HTTP = _case(
    "ultimatesms-http",
    lambda url: UltimateSmsHttpProvider(TOKEN, sender_id="Shop", base_url=url, max_batch=1),
    preset=False,
)
