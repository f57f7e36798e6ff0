"""UGSMS's sample answers, replayed."""

from __future__ import annotations

import pytest
import respx
from support.samples import MARKS, Sample, load_samples
from support.ugsms.samples import replay
from support.ugsms.wire import HOST


SAMPLES = load_samples("ugsms")


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
async def test_a_sample_means_what_its_file_says(
    respx_mock: respx.MockRouter, sample: Sample
) -> None:
    """Each recorded, documented or deduced answer gives the value or error beside it."""
    respx_mock.route(url__startswith=HOST).mock(return_value=sample.reply)
    assert sample.expect == await replay(sample)


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_a_sample_says_where_it_is_from(sample: Sample) -> None:
    """A valid mark and a source keep a guess from being taken for a recording."""
    assert sample.mark in MARKS
    assert sample.source.strip()


def test_there_are_samples() -> None:
    """The folder is found, and recorded answers are in it."""
    assert "LOG" in {sample.mark for sample in SAMPLES}
