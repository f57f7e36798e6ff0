import subprocess
import sys

import pytest


_SCRIPT = """
import sys
sys.modules["starlette"] = sys.modules["uvicorn"] = None
from iprog_async.sandbox import Fault, SandboxGateway, SandboxState, Sandbox, read_fields
Fault("*", "status")
SandboxState().accept("iprog", "1", "hi", message_id="1")
print("fine")
"""


@pytest.mark.slow
def test_value_classes_need_no_extra() -> None:
    """The package and its value classes work where the extra is not installed."""
    ran = subprocess.run(  # noqa: S603 - a script of ours
        [sys.executable, "-W", "error", "-c", _SCRIPT], capture_output=True, text=True, check=False
    )
    assert (ran.stdout, ran.stderr) == ("fine\n", "")
