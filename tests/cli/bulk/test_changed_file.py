from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest
from support.cli.bulk import Bulk, people

from iprog_async import InvalidMessageError
from iprog_async.cli._bulk.csv_file import CsvFile
from iprog_async.cli._bulk.csv_lines import FileChangedError
from iprog_async.cli._bulk.messages import CsvMessages
from iprog_async.cli._bulk.run import BulkRunner


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


@pytest.mark.usefixtures("_iprog", "_no_waiting")
@pytest.mark.parametrize("begun", [False, True], ids=["checking", "sending"])
def test_what_to_do_after_a_change(
    bulk: Bulk, monkeypatch: pytest.MonkeyPatch, begun: bool
) -> None:
    """Before the first text: run it again. Once people may have theirs, nothing of the kind."""

    def changed(*_: object) -> NoReturn:
        raise FileChangedError("june.csv was changed while it was being read")

    if begun:
        monkeypatch.setattr(BulkRunner, "_read", changed)
    else:
        monkeypatch.setattr(CsvMessages, "_message", changed)
    ran = bulk(people(3), "--yes")
    assert "was changed while it was being read" in ran.err
    assert begun != ("nothing was sent, run it again" in ran.err)
    assert begun == ("text everybody again" in ran.out)
