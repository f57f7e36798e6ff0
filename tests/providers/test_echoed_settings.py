"""A credential in the place of another setting is in no error, and in no frame of it."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from support.contract.toml import FILES

from iprog_async import InvalidMessageError, Message, SmsClient, SmsError
from iprog_async.adapter import shown
from iprog_async_providers import (
    EgoSmsProvider,
    HttpProvider,
    InfopromoProvider,
    IprogProvider,
    SemaphoreProvider,
    UgsmsV1Provider,
    UgsmsV2Provider,
)


SECRET = "a8Kd93jfLs02kdJf83kdQQ"
TOKEN = f"17|{SECRET}"
QUOTED = quote(TOKEN, safe="")
SEMAPHORE = {"SEMAPHORE_API_KEY": "SHOP", "SEMAPHORE_SENDER_NAME": TOKEN}
EGO = {"EGOSMS_USERNAME": "u", "EGOSMS_PASSWORD": "pppp", "EGOSMS_SENDER_ID": TOKEN}
SWAPPED = {"INFOPROMO_API_TOKEN": "SHOP", "INFOPROMO_SENDER_ID": TOKEN}

MISTAKES: dict[str, Callable[[], object]] = {
    "iprog base_url": lambda: IprogProvider("x1234", base_url=TOKEN),
    "iprog token_in": lambda: IprogProvider("x1234", token_in=TOKEN),  # type: ignore[arg-type]
    "iprog rate": lambda: IprogProvider("x1234", rate=TOKEN),
    "iprog name": lambda: IprogProvider("x1234", name=f"{TOKEN}:"),
    "iprog route": lambda: IprogProvider("x1234", sms_provider=TOKEN),  # type: ignore[arg-type]
    "infopromo sender_id": lambda: InfopromoProvider("SHOP1", sender_id=TOKEN),
    "infopromo swapped": lambda: InfopromoProvider.from_env(SWAPPED),
    "infopromo timezone": lambda: InfopromoProvider("SHOP1", timezone=TOKEN),
    "infopromo region": lambda: InfopromoProvider("SHOP1", region=TOKEN),
    "infopromo host": lambda: InfopromoProvider("SHOP1", host=TOKEN),
    "ugsms region": lambda: UgsmsV1Provider("u", "p123", region=TOKEN),
    "ugsms key_in": lambda: UgsmsV2Provider("k123", key_in=TOKEN),  # type: ignore[arg-type]
    "semaphore swapped": lambda: SemaphoreProvider.from_env(SEMAPHORE),
    "egosms swapped": lambda: EgoSmsProvider.from_env(EGO),
    "engine": lambda: SmsClient(IprogProvider("x1234"), engine=TOKEN),  # type: ignore[arg-type]
    "timeout": lambda: SmsClient(IprogProvider("x1234"), timeout=TOKEN),  # type: ignore[arg-type]
    "address, sender_id": lambda: SmsClient.from_url(f"infopromo://SHOP@?sender_id={QUOTED}"),
    "address, region": lambda: SmsClient.from_url(f"infopromo://SHOP@?region={QUOTED}"),
    "address, base_url": lambda: SmsClient.from_url(f"infopromo://SHOP@?base_url={QUOTED}"),
    "address, name of a setting": lambda: SmsClient.from_url(f"infopromo://SHOP@?{SECRET}=1"),
    "file": lambda: HttpProvider.from_toml(SECRET),
    "file, in an address": lambda: SmsClient.from_url(f"toml://@?file={SECRET}"),
}


def words_and_frames(call: Callable[[], object]) -> tuple[str, str]:
    """Return what an error says, and what a tracker of errors keeps of its frames."""
    with pytest.raises(SmsError) as caught:
        call()
    kept = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    # Frames of the test itself hold what it gave.
    own = [frame for frame in kept.stack if frame.filename != __file__]
    return str(caught.value), "".join(str(frame.locals) for frame in own)


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_token_in_the_place_of_a_setting_is_not_shown(mistake: Callable[[], object]) -> None:
    """Two variables are swapped easily, and errors are logged."""
    words, _ = words_and_frames(mistake)

    assert SECRET.lower() not in words.lower()
    assert "***" in words


def test_a_token_in_the_place_of_a_sender_is_not_shown() -> None:
    """A sender ID of one message is a setting, too."""
    provider = SemaphoreProvider("k123")

    with pytest.raises(InvalidMessageError) as caught:
        provider.prepare(Message("09171234567", "Hi", sender_id=TOKEN))

    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ('bearer = "$ACME_SMS_KEY"', f'bearer = "{TOKEN}"'),
        ('bearer = "$ACME_SMS_KEY"', f'headers = {{ {SECRET} = "X-Key" }}'),
        ('bearer = "$ACME_SMS_KEY"', f'{SECRET} = "$ACME_SMS_KEY"'),
        ('bearer = "$ACME_SMS_KEY"', f'fields = {{ "/to/{SECRET}" = "$ACME_SMS_KEY" }}'),
        ('word = "/state"', f'word = "{SECRET}"'),
        ('region = "PH"', f'region = "{TOKEN}"'),
        ('region = "PH"', f'rate = "{TOKEN}"'),
        ("[errors]", f"[errors] {SECRET}"),
        ("status = 401", f'status = "{TOKEN}"'),
    ],
)
@pytest.mark.parametrize("read", [HttpProvider.from_toml, HttpProvider.sandbox_of])
def test_a_token_in_a_file_is_in_no_error_and_in_no_frame(
    tmp_path: Path, read: Callable[[Path], object], line: str, instead: str
) -> None:
    """Whatever key of a file it stands at, and whoever reads the file."""
    text = (FILES / "acme.toml").read_text(encoding="utf-8")
    assert line in text
    path = tmp_path / "acme.toml"
    path.write_text(text.replace(line, instead, 1), encoding="utf-8")

    words, frames = words_and_frames(lambda: read(path))

    assert SECRET not in words
    assert SECRET not in frames


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("PHL", "'PHL'"),
        (7, "7"),
        (None, "None"),
        ("Africa/Lagos", "'Africa/Lagos'"),
        (TOKEN, "'***'"),
        (f"Bearer {SECRET}", "'Bearer ***'"),
        ([TOKEN], "***"),
    ],
)
def test_a_value_is_shown_without_what_may_be_a_credential(value: object, expected: str) -> None:
    """People find their mistake by it, and nothing else that they wrote is repeated."""
    assert expected == shown(value)
