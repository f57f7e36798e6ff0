from __future__ import annotations

import pytest
from attrs import evolve
from support.contract.cases import CASES, PRESETS

from iprog_async import provider_types
from iprog_async.testing import ProviderContract


@pytest.mark.every_row
class TestBuiltIn(ProviderContract):
    """The contract, for every adapter of this project."""

    cases = tuple(evolve(case, variants={}) for case in CASES if case not in PRESETS)


@pytest.mark.slow
class TestVariants(ProviderContract):
    """The contract, for the further ways to build an adapter, and for those of the same code."""

    cases = (
        *PRESETS,
        *(
            evolve(case, name=f"{case.name}-{way}", make=make, variants={}, registered=False)
            for case in CASES
            for way, make in case.variants.items()
        ),
    )


def test_every_built_in_provider_has_a_case() -> None:
    """The cases are the registered providers, those of other packages aside."""
    ours = {
        name
        for name, cls in provider_types().items()
        if cls.__module__.startswith("iprog_async_providers.")
    }
    assert sorted(ours) == sorted(case.name for case in CASES)
