from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


pytestmark = pytest.mark.slow

_ROWS = 100_000
_SCRIPT = """
import asyncio, pathlib, sys
from iprog_async import SmsClient
from iprog_async._sending.template import Template
from iprog_async.cli._bulk.messages import CsvMessages
from iprog_async.cli._bulk.csv_file import CsvFile
from iprog_async_providers.iprog import IprogProvider

def peak():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])

async def plan(path):
    async with SmsClient(IprogProvider("none")) as client:
        with CsvFile(path, "phone") as sheet:
            found = await client.plan_many(CsvMessages(sheet, Template("Hi {name}"), "phone"))
    return found.recipients, found.duplicates

print(asyncio.run(plan(sys.argv[1])), end=" ")
before = peak()
print(asyncio.run(plan(sys.argv[2])), peak() - before)
"""


def _file(path: Path, rows: int) -> str:
    with path.open("w") as file:
        file.write("phone,name\n")
        file.writelines(f"0917{row % 90_000:07},Customer {row % 90_000}\n" for row in range(rows))
    return str(path)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's own figure")
def test_long_file_is_never_held(tmp_path: Path) -> None:
    """A hundred thousand rows, their duplicates found, take less than 40 MB."""
    files = [_file(tmp_path / "few.csv", 1000), _file(tmp_path / "many.csv", _ROWS)]

    ran = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", _SCRIPT, *files], capture_output=True, text=True, check=False
    )

    few, many = "(1000, 0)", "(90000, 10000)"
    assert (0, "", f"{few} {many}") == (ran.returncode, ran.stderr, ran.stdout.rpartition(" ")[0])
    assert int(ran.stdout.split()[-1]) < 40_000
