from __future__ import annotations

from pathlib import Path

import pytest

from iprog_async import InvalidMessageError
from iprog_async.cli._bulk.csv_file import CsvFile


@pytest.mark.parametrize("inserted", range(0, 60, 7))
def test_no_row_is_made_of_two_files(tmp_path: Path, inserted: int) -> None:
    """A file that is saved again while it is read ends the reading: no number is anybody else's."""
    people = [f"+63917{number * 7919 % 10**7:07d}" for number in range(3000)]
    rows = "".join(f"Ana,{number}\n" for number in people)
    path = tmp_path / "june.csv"
    path.write_text("name,phone\n" + rows)
    read: list[str] = []
    with CsvFile(str(path), "phone") as file:
        reading = iter(file)
        read.append(next(reading).cells["phone"])
        path.write_text(f"name,phone\n{'E' * inserted},+639180000001\n" + rows)
        with pytest.raises(InvalidMessageError, match="changed while it was being read"):
            read.extend(row.cells["phone"] for row in reading)

    assert people[: len(read)] == read
