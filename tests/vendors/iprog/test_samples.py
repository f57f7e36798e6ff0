from __future__ import annotations

from operator import attrgetter

import pytest
import respx
from support.iprog.wire import OPERATIONS, TOKEN, connect
from support.samples import MARKS, Sample, load_samples

from iprog_async import NotSent, OutcomeUnknownError, SmsError, Unknown
from iprog_async.adapter import is_array


SAMPLES = load_samples("iprog")


def raise_if_lost(value: object) -> None:
    """Raise the error of the first outcome, if these are outcomes."""
    first = value[0] if is_array(value) and value else None
    if isinstance(first, (NotSent, Unknown)):
        raise first.error


def described(value: object, name: str) -> object:
    """Return an attribute as text; a list of them for a list of values."""
    if is_array(value):
        return [described(item, name) for item in value]
    return str(attrgetter(name)(value))


@pytest.mark.usefixtures("whole_batches")
@pytest.mark.parametrize("sample", [s for s in SAMPLES if "error" not in s.expect], ids=str)
async def test_good_answers_are_read(respx_mock: respx.MockRouter, sample: Sample) -> None:
    """Each answer that proves a success gives the values in its file."""
    respx_mock.route().mock(return_value=sample.reply)

    async with connect() as sms:
        value = await OPERATIONS[sample.operation](sms)

    raise_if_lost(value)
    assert sample.expect == {name: described(value, name) for name in sample.expect}


@pytest.mark.usefixtures("whole_batches")
@pytest.mark.parametrize("sample", [s for s in SAMPLES if "error" in s.expect], ids=str)
async def test_other_answers_become_the_right_error(
    respx_mock: respx.MockRouter, sample: Sample
) -> None:
    """Each other answer is the error in its file, after exactly one request."""
    respx_mock.route().mock(return_value=sample.reply)

    with pytest.raises(SmsError) as caught:
        async with connect() as sms:
            raise_if_lost(await OPERATIONS[sample.operation](sms))

    error = caught.value
    seen = {name: getattr(error, name) for name in sample.expect if name != "error"}
    if isinstance(error, OutcomeUnknownError) and "references" in seen:
        seen["references"] = list(error.references)
    assert sample.expect == {"error": type(error).__name__, **seen}
    assert respx_mock.calls.call_count == 1
    assert TOKEN not in f"{error!r} {error}"


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_every_sample_says_how_far_to_trust_it(sample: Sample) -> None:
    """Each file has a mark of the five, a source, and an operation that exists."""
    assert sample.mark in MARKS
    assert sample.source
    assert sample.operation in OPERATIONS


def test_both_kinds_of_answers_are_there() -> None:
    """Neither table above is empty."""
    assert {True, False} == {"error" in sample.expect for sample in SAMPLES}
