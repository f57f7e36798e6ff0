from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from iprog_async._engines.tls_records import RecordBoundaries


def record(body: bytes) -> bytes:
    """Return a body as a record of TLS."""
    return b"\x17\x03\x03" + len(body).to_bytes(2) + body


@given(
    st.lists(st.binary(max_size=600), min_size=1, max_size=5),
    st.sets(st.integers(1, 3000), max_size=8),
)
def test_ends_of_records_are_found_however_the_stream_is_cut(
    bodies: list[bytes], cuts: set[int]
) -> None:
    """Nothing is under way exactly where a record ends, whatever pieces it came in."""
    records = [record(body) for body in bodies]
    stream = b"".join(records)
    ends = {sum(map(len, records[:count])) for count in range(len(records) + 1)}
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    boundaries = RecordBoundaries()

    seen: list[bool] = []
    for begin, end in pairwise(places):
        boundaries.pass_over(memoryview(stream)[begin:end])
        seen.append(boundaries.within_record)

    assert [place not in ends for place in places[1:]] == seen
