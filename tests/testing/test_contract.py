from __future__ import annotations

from support.contract.cases import CASES

from iprog_async import provider_types
from iprog_async.testing import ProviderContract


class TestBuiltIn(ProviderContract):
    """The contract, for every adapter of this project."""

    cases = CASES


def test_every_built_in_provider_has_a_case() -> None:
    """The cases are the registered providers, those of other packages aside."""
    ours = {
        name
        for name, cls in provider_types().items()
        if cls.__module__.startswith("iprog_async_providers.")
    }
    assert sorted(ours) == sorted(case.name for case in CASES)
