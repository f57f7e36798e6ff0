"""The contract: what holds for every adapter, as one class that pytest runs."""

from __future__ import annotations

from iprog_async.testing._contract.checks import (
    CertaintyChecks,
    PreparingChecks,
    ProofChecks,
    RegistryChecks,
    SecrecyChecks,
    SendingChecks,
    WaitingChecks,
)


class ProviderContract(
    PreparingChecks,
    SendingChecks,
    CertaintyChecks,
    ProofChecks,
    WaitingChecks,
    SecrecyChecks,
    RegistryChecks,
):
    """What every adapter must keep; an author supplies the data and pytest runs it.

    ```python
    class TestMine(ProviderContract):
        case = ContractCase(name="mine", make=lambda url: MyProvider("t0k|en", base_url=url), …)
    ```

    No plug-in of pytest is needed: every check runs its own event loop.

    Attributes:
        case: The adapter under test.
        cases: Several adapters, instead of `case`.
        open_pool: `HttpPool`, or what opens one over another engine.
    """
