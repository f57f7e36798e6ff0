from collections.abc import Iterator

import pytest
from support.sandbox_toy import TOY

from iprog_async.sandbox import Sandbox
from iprog_async.sandbox._server import installed
from iprog_async_providers.iprog import IprogProvider


@pytest.fixture(autouse=True, scope="module")
def only_iprog() -> Iterator[None]:
    """Let one provider be installed, so that these tests depend on no other vendor's routes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(installed, "provider_types", lambda: {"iprog": IprogProvider})
        yield


@pytest.fixture(scope="module")
def running(only_iprog: None) -> Iterator[Sandbox]:
    """Run one sandbox with IPROG and the toy gateway for all tests of a module."""
    with Sandbox(gateways={"toy": TOY}) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    """Return a sandbox that is as if it had just been started."""
    running.clear()
    return running
