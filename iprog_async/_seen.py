"""Which messages a run has had, in about 25 bytes each."""

from __future__ import annotations

from array import array


_SHARDS = 256
_EMPTY = 0


class SeenTable:
    """Maps 64-bit hashes to the index of the message that had it first.

    Plain dicts take a hundred bytes an entry. The table is split, so that growing one part
    never holds up the event loop for long.
    """

    def __init__(self) -> None:
        self._shards = [_Shard() for _ in range(_SHARDS)]

    def first_index(self, key: tuple[object, ...], index: int) -> int:
        """Return the index that had the key first; it is `index` if the key is new."""
        digest = hash(key) or 1
        return self._shards[digest % _SHARDS].first_index(digest, index)


class _Shard:
    """One open-addressing table of hash and index."""

    __slots__ = ("_hashes", "_indexes", "_mask", "_used")

    def __init__(self) -> None:
        self._used = 0
        self._allocate(8)

    def _allocate(self, size: int) -> None:
        self._mask = size - 1
        self._hashes = array("q", bytes(8 * size))
        self._indexes = array("Q", bytes(8 * size))

    def first_index(self, digest: int, index: int) -> int:
        place = (digest // _SHARDS) & self._mask
        hashes = self._hashes
        while hashes[place] != _EMPTY:
            if hashes[place] == digest:
                return self._indexes[place]
            place = (place + 1) & self._mask
        hashes[place] = digest
        self._indexes[place] = index
        self._used += 1
        if self._used * 3 > self._mask * 2:
            self._grow()
        return index

    def _grow(self) -> None:
        hashes, indexes = self._hashes, self._indexes
        self._used = 0
        self._allocate(2 * len(hashes))
        for digest, index in zip(hashes, indexes, strict=True):
            if digest != _EMPTY:
                self.first_index(digest, index)
