from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.sync import run_program, serving
from support.waiting import LONG

from iprog_async.sync import SmsClient
from iprog_async.testing import RawGateway, Reply, answer, silence
from iprog_async_providers.iprog import IprogProvider


pytestmark = pytest.mark.slow

OK = Reply.of_json({"status": 200, "message_id": "iSms-1"})

_BEGIN = """
import sys, threading
from iprog_async import ClientClosedError, SmsError
from iprog_async.sync import SmsClient
from iprog_async_providers.iprog import IprogProvider

NUMBER = "+639171234567"
provider = IprogProvider("1|token", base_url=sys.argv[1])
"""


def test_forgotten_client_is_closed(tmp_path: Path) -> None:
    """A program that never closes its client ends without a word, with its journal closed."""
    program = """
sms = SmsClient(provider, journal="texts.db")
print(sms.send(NUMBER, "Hi", key="order-1").ref)
"""
    with serving(RawGateway(OK)) as gateway:
        assert "iprog:iSms-1\n" == run_program(_BEGIN + program, tmp_path, gateway.base_url)

    # The file of shared limits may stay: nothing is lost with it.
    left = {path.name for path in tmp_path.glob("texts*") if "-limits" not in path.name}
    assert {"texts.db"} == left


_IN_A_DAEMON = """
sms = SmsClient(provider, journal="texts.db", timeout=1000)
def send():
    try:
        sms.send(NUMBER, "Hi", **({"key": "order-1"} if sys.argv[2] == "key" else {}))
    except SmsError:
        pass
threading.Thread(target=send, daemon=True).start()
sys.stdin.read()
"""


@pytest.mark.parametrize("key", ["key", "none"])
def test_text_with_a_key_comes_to_its_outcome(key: str, tmp_path: Path) -> None:
    """The exit waits for a text with a key that is under way, and for no other."""
    (tmp_path / "program.py").write_text(_BEGIN + _IN_A_DAEMON, encoding="utf-8")
    script = answer(OK, after=0.2) if key == "key" else silence()
    with serving(RawGateway(script)) as gateway:
        command = [sys.executable, "-W", "always", "program.py", gateway.base_url, key]
        with subprocess.Popen(  # noqa: S603 - the test's own program
            command, cwd=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            gateway.until(lambda seen: len(seen.requests) == 1)
            _, complaints = process.communicate(timeout=LONG)

        assert (0, "") == (process.returncode, complaints)
        provider = IprogProvider("1|token", base_url=gateway.base_url)
        with SmsClient(provider, journal=tmp_path / "texts.db") as sms:
            if key == "key":
                assert "iprog:iSms-1" == sms.send("+639171234567", "Hi", key="order-1").ref
        assert 1 == len(gateway.gateway.requests)


def test_what_comes_after_the_end_is_refused(tmp_path: Path) -> None:
    """A function that runs at exit, after the clients were closed, is told so and hangs nobody."""
    # What was registered first, before the library was imported, runs last.
    first = """
import atexit

@atexit.register
def say_goodbye():
    for client in (sms, SmsClient(provider)):
        try:
            client.send(NUMBER, "Bye")
        except ClientClosedError as error:
            print(error)
"""
    program = """
sms = SmsClient(provider)
sms.send(NUMBER, "Hi")
"""
    with serving(RawGateway(OK)) as gateway:
        said = run_program(first + _BEGIN + program, tmp_path, gateway.base_url)
        assert 1 == len(gateway.gateway.requests)

    assert said.count("nothing was sent") == 2
