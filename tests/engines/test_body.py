"""How the body of an answer is unpacked, whichever engine reads it."""

from __future__ import annotations

import gzip

import pytest

from iprog_async._engines.body import BadBodyError, Body


@pytest.mark.parametrize("coding", ["gzip", "GZip"])
def test_a_coding_may_be_written_large(coding: str) -> None:
    """Names of codings have no case."""
    body = Body({"content-encoding": coding})
    body.feed(gzip.compress(b"Hi"))

    assert b"Hi" == body.end()


def test_an_unknown_coding_is_quoted_as_it_came() -> None:
    """In small letters no secret that a server repeats in it would be known."""
    with pytest.raises(BadBodyError, match="encoded as 'S3cret'"):
        Body({"content-encoding": "S3cret"})
