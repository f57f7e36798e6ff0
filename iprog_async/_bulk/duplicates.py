"""Duplicates: which messages of a run have been there before, in about 20 bytes each."""

from __future__ import annotations

from struct import Struct


_SHARDS = 1 << 16
# A hash and an index of five bytes.
_ENTRY = Struct("<qIB")
_HASH_SIZE = 8


class SeenTable:
    """Maps 64-bit hashes to the index of the message that had it first.

    Plain dicts take a hundred bytes an entry, and a table in Python code takes its time to grow.
    This one is many short strings of fixed-size entries, which are searched and grown in C.
    """

    def __init__(self) -> None:
        self._shards = [b""] * _SHARDS

    def first_index(self, key: tuple[object, ...], index: int) -> int:
        """Return the index that had the key first; it is `index` if the key is new."""
        number = hash(key)
        entry = _ENTRY.pack(number, index & 0xFFFFFFFF, index >> 32)
        place = number % _SHARDS
        entries = self._shards[place]
        digest = entry[:_HASH_SIZE]
        found = entries.find(digest)
        while found >= 0:
            if found % _ENTRY.size == 0:
                _, low, high = _ENTRY.unpack_from(entries, found)
                return int(low | high << 32)
            # The end of one entry and the start of the next look like it.
            found = entries.find(digest, found + 1)
        self._shards[place] = entries + entry
        return index
