from __future__ import annotations

from typing import Any

import pytest
from support.contract import toy

from iprog_async import SmsError
from iprog_async.testing import ContractCase, ProviderContract, Subject
from iprog_async.testing._contract.doubts import DOUBTS
from iprog_async.testing._contract.losses import ENCOUNTERS, LOSSES


class TestToy(ProviderContract):
    """The contract, for an adapter of somebody else."""

    case = toy.toy_case()


BROKEN: list[tuple[type[toy.ToyProvider], str, dict[str, Any]]] = [
    (toy.Repeating, "a_lost_answer_is_unknown_after_exactly_one_request", {"loss": "dropped"}),
    (
        toy.Repeating,
        "a_kept_alive_connection_closed_under_the_request_is_unknown",
        {},
    ),
    (toy.Repeating, "a_lost_answer_to_many_is_unknown_for_each", {}),
    (toy.Trusting, "a_lost_answer_is_unknown_after_exactly_one_request", {"loss": "html-in-a-200"}),
    (toy.Trusting, "a_lost_answer_is_unknown_after_exactly_one_request", {"loss": "200-empty"}),
    (toy.Trusting, "a_success_with_an_error_is_unknown", {}),
    (
        toy.Hasty,
        "a_lost_answer_is_unknown_after_exactly_one_request",
        {"loss": "unknown-error-text"},
    ),
    (toy.Hasty, "a_doubtful_refusal_is_never_not_sent", {"doubt": "an-id-beside-a-refusal"}),
    (toy.Hasty, "a_doubtful_refusal_is_never_not_sent", {"doubt": "quoted-in-a-longer-text"}),
    (toy.Hasty, "a_doubtful_refusal_is_never_not_sent", {"doubt": "with-a-server-error"}),
    (toy.Trustful, "a_doubtful_refusal_is_never_not_sent", {"doubt": "a-wall-in-front"}),
    (toy.Unbindable, "bind_returns_a_copy_and_leaves_the_original_untouched", {}),
    (toy.Unbindable, "one_adapter_object_serves_two_clients", {}),
    (toy.Talkative, "success_is_a_receipt_that_can_be_stored", {}),
    (toy.Talkative, "no_secret_is_shown_by_a_send", {"encounter": "success"}),
    (toy.Quoting, "no_secret_is_shown_by_a_send", {"encounter": "unknown-error-text"}),
    (toy.Careless, "bad_input_is_refused_before_any_network", {}),
    (toy.Careless, "a_number_without_a_text_is_read_as_in_a_message", {}),
    (toy.Terse, "a_number_without_a_text_is_read_as_in_a_message", {}),
    (toy.Muddled, "many_come_to_one_outcome_each_in_order", {}),
    (toy.Forgetful, "a_delete_is_asked_again", {"delete": "kept"}),
    (toy.Impatient, "a_rate_limit_in_seconds_is_waited_for", {}),
    (toy.Impatient, "a_rate_limit_is_waited_for_once_by_all", {}),
    *(
        (cls, claim, {"registered": "by-name"})
        for cls, claim in (
            (toy.Nameless, "the_class_has_all_that_an_entry_point_needs"),
            (toy.Unaddressed, "an_address_builds_an_adapter_that_sends"),
            (toy.Unaddressed, "a_wrong_address_is_a_configuration_error"),
            (toy.Clumsy, "a_wrong_address_is_a_configuration_error"),
            (toy.Greedy, "an_environment_of_others_is_left_alone"),
            (toy.Boastful, "the_capabilities_are_true"),
            (toy.Punctual, "the_capabilities_are_true"),
        )
    ),
]


@pytest.mark.parametrize(
    ("cls", "claim", "further"),
    BROKEN,
    ids=[f"{cls.__name__}-{claim}" for cls, claim, _ in BROKEN],
)
def test_the_contract_catches_what_is_broken(
    cls: type[toy.ToyProvider], claim: str, further: dict[str, str]
) -> None:
    """The claim holds for the whole adapter and fails for the broken copy."""
    check = getattr(ProviderContract(), f"test_{claim}")
    whole, broken = toy.toy_case(), toy.toy_case(cls)
    check(subject=_subject(whole), **_further(whole, further))
    with pytest.raises((AssertionError, SmsError, TypeError)):
        check(subject=_subject(broken), **_further(broken, further))


def _subject(case: ContractCase) -> Subject:
    return Subject(case.name, case, case.make)


def _further(case: ContractCase, names: dict[str, str]) -> dict[str, object]:
    tables: dict[str, Any] = {
        "loss": LOSSES,
        "doubt": DOUBTS,
        "encounter": ENCOUNTERS,
        "delete": case.deletes,
        "registered": {"by-name": case},
    }
    return {kind: tables[kind][name] for kind, name in names.items()}
