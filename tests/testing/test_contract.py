from __future__ import annotations

import pytest
from support.contract.cases import CASES, PRESETS

from iprog_async import provider_types
from iprog_async.testing import ProviderContract


class TestBuiltIn(ProviderContract):
    """The contract, for every adapter of this project."""

    cases = tuple(case for case in CASES if case not in PRESETS)


@pytest.mark.slow
class TestPresets(ProviderContract):
    """The contract, for adapters that are the code of another one with other settings."""

    cases = PRESETS


def test_every_built_in_provider_has_a_case() -> None:
    """The cases are the registered providers, those of other packages aside."""
    ours = {
        name
        for name, cls in provider_types().items()
        if cls.__module__.startswith("iprog_async_providers.")
    }
    assert sorted(ours) == sorted(case.name for case in CASES)
