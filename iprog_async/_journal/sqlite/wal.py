"""SQLite's write-ahead log, as a file: which one it is, and whether anything is in it.

https://www.sqlite.org/fileformat2.html#walformat

The log itself has no locks, and may be read as a file. Neither the database nor its `-shm` may:
closing either, by whatever descriptor, drops the locks that SQLite has on it in this process, and
another process then truncates `-shm` under us, which ends in SIGBUS.
"""

from __future__ import annotations

import os
import struct

from attrs import frozen


_HEADER = struct.Struct(">8I")
_FRAME_HEADER = 24
_MAGIC = 0x377F0682
_FEW = 2
_GENERATIONS = 0x7FFFFFFF
# Bytes of a file system's blocks: a sector of a disk at least. What is named where there are larger
# ones is often what is best read at once, and a refusal is the safe side.
_SMALLEST_BLOCK, _LARGEST_BLOCK = 512, 4096


@frozen
class Wal:
    """A write-ahead log.

    Args:
        generation: Which one it is, one more each time that SQLite begins it anew; 0 where its
            header is broken.
        frames: How many pages it has room for; 0 where it was cut off in the midst of one.
        first_page_only: Whether it has very few pages, each the first of the database.
    """

    generation: int
    frames: int
    first_page_only: bool

    def times_since(self, generation: int) -> int:
        """Return how often it was begun anew since it was of a generation; very often if never."""
        return (self.generation - generation) & _GENERATIONS


def path_of_wal(path: str) -> str:
    """Return where the log of a database is."""
    return f"{path}-wal"


def read_wal(path: str) -> Wal | None:
    """Return the log of a database; `None` if there is none, or an empty one.

    Raises:
        OSError: It can't be read.
    """
    try:
        with open(path_of_wal(path), "rb") as file:
            head = file.read(_HEADER.size)
            if not head:
                return None
            page_size, generation = _read_header(head)
            size = file.seek(0, 2) - _HEADER.size
            frame = page_size + _FRAME_HEADER
            whole = generation > 0 and not _is_cut(size, frame, file.fileno())
            frames = size // frame if whole else 0
            pages: set[bytes] = set()
            for place in range(min(frames, _FEW)):
                file.seek(_HEADER.size + place * frame)
                pages.add(file.read(4))
    except FileNotFoundError:
        return None
    # Of one that was cut off nobody knows what it had.
    few = whole and frames <= _FEW
    return Wal(generation, frames, few and pages <= {b"\0\0\0\1"})


def last_commit_of_first_page(path: str) -> bytes | None:
    """Return the first page of a database as the last commit of its log has it.

    Returns:
        `None` if the log's last pages are any others, or were not committed, or it is gone.

    Raises:
        OSError: The log can't be read.
    """
    page = pages = 0
    try:
        with open(path_of_wal(path), "rb") as file:
            head = file.read(_HEADER.size)
            page_size, _ = _read_header(head)
            place = _HEADER.size
            while page_size and len(frame := file.read(_FRAME_HEADER)) == _FRAME_HEADER:
                # What was there before the log was begun anew has other salts.
                if frame[8:16] != head[16:24]:
                    break
                page, pages = struct.unpack(">2I", frame[:8])
                place += _FRAME_HEADER + page_size
                file.seek(place)
            file.seek(place - page_size)
            return file.read(page_size) if page == 1 and pages else None
    except FileNotFoundError:
        return None


def _is_cut(size: int, frame: int, descriptor: int) -> bool:
    """Return whether frames of so many bytes in all can't be what SQLite has written.

    It writes the head of a frame, and then its page. A process that is killed in between leaves the
    one without the other, or what the system had copied by then: blocks of the file as a whole. So
    does a disk that is full, whose blocks may be smaller than a page.
    """
    if size % frame in (0, _FRAME_HEADER):
        return False
    return (size + _HEADER.size) % _block_of(descriptor) != 0


def _block_of(descriptor: int) -> int:
    """Return in how many bytes at once the file system of an open file gives room."""
    if not hasattr(os, "fstatvfs"):
        return _LARGEST_BLOCK
    return max(_SMALLEST_BLOCK, min(os.fstatvfs(descriptor).f_bsize, _LARGEST_BLOCK))


def _read_header(head: bytes) -> tuple[int, int]:
    """Return page size and generation; 0 for both if it is no header."""
    if len(head) < _HEADER.size:
        return 0, 0
    magic, _, page_size, _, salt, _, *checksum = _HEADER.unpack(head)
    if magic not in (_MAGIC, _MAGIC | 1) or checksum != _checksum(head[:24], big=bool(magic & 1)):
        return 0, 0
    # How often it was begun anew is in it as well; but each process counts only its own times.
    return page_size, salt & _GENERATIONS or 1


def _checksum(data: bytes, *, big: bool) -> list[int]:
    words = struct.unpack(f"{'>' if big else '<'}{len(data) // 4}I", data)
    first = second = 0
    for one, other in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + other + first) & 0xFFFFFFFF
    return [first, second]
