from __future__ import annotations

import os
from pathlib import Path

import pytest

from iprog_async import InvalidMessageError, Message
from iprog_async._bulk.preparation import Unsendable
from iprog_async._sending.template import Template
from iprog_async.cli._bulk.csv_file import CsvFile, CsvRow
from iprog_async.cli._bulk.messages import CsvMessages


def file_of(path: Path, content: str | bytes, column: str = "phone") -> CsvFile:
    """Write a file and open it."""
    path = path / "june.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return CsvFile(str(path), column)


def rows_of(path: Path, content: str | bytes) -> list[CsvRow]:
    """Return the rows of a file."""
    with file_of(path, content) as file:
        return list(file)


@pytest.mark.parametrize(
    "content",
    [
        "phone,name\n1,Ann\n",
        "\ufeffphone,name\r\n1,Ann\r\n",
        "phone;name\n1;Ann",
        "phone\tname\n1\tAnn\n",
        '"phone","name"\n"1","Ann"\n',
        " phone , name\n1,Ann\n",
        "phone,name\n\n1,Ann\n,\n\n",
        "phone,name\n1,Ann,,\n",
        "phone,name\r1,Ann\r",
        "phone,name\r1,Ann",
        "phone;name\r\r1;Ann\r\r",
        "sep=;\nphone;name\n1;Ann\n",
        "\ufeffsep=,\r\nphone,name\r\n1,Ann\r\n",
        "SEP=|\rphone|name\r1|Ann\r",
        '"sep=\t"\nphone\tname\n1\tAnn\n',
        "\n\r\n \nphone,name\n1,Ann\n",
        "\ufeff\nsep=|\n\nphone|name\n1|Ann\n",
        "\ufeff\ufeff\ufeffphone,name\n1,Ann\n",
        'phone,name\n="1","=""Ann"""\n',
    ],
    ids=[
        "plain",
        "Excel",
        "semicolon",
        "tab",
        "quoted",
        "blanks",
        "empty rows",
        "extra commas",
        "old Mac",
        "no end",
        "old Mac and empty rows",
        "named delimiter",
        "Excel's named delimiter",
        "bar",
        "named tab",
        "empty lines first",
        "named delimiter among empty lines",
        "several marks",
        "formulas",
    ],
)
def test_usual_files(tmp_path: Path, content: str) -> None:
    """Each usual way to write a table is read alike."""
    (row,) = rows_of(tmp_path, content)
    assert ({"phone": "1", "name": "Ann"}, "") == (row.cells, row.problem)


def test_delimiter_that_finds_the_column(tmp_path: Path) -> None:
    """Of two possible delimiters the one is taken that the column is there with."""
    with file_of(tmp_path, "name, given, last;phone\nAnn;1\n") as file:
        assert ("name, given, last", "phone") == file.columns


def test_lines_are_counted_as_an_editor_does(tmp_path: Path) -> None:
    """A cell of two lines moves the following rows; each row is told by its first line."""
    rows = rows_of(tmp_path, 'phone,note\n1,"a\nb"\n\n2,c\n')
    assert [2, 5] == [row.line for row in rows]
    assert "a\nb" == rows[0].cells["note"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("first", ["", "sep=,", " "])
def test_lines_are_counted_with_what_stands_before(tmp_path: Path, end: str, first: str) -> None:
    """The line that names the delimiter is one that an editor counts, too."""
    lines = [*([first] if first else []), "phone,name", "1,Ann", "", '2,"Bo', 'and Cy"', "3,Di"]
    found = [row.line for row in rows_of(tmp_path, end.join([*lines, ""]))]
    assert [2, 4, 6] == [line - bool(first) for line in found]


@pytest.mark.slow
def test_long_file_with_old_line_ends(tmp_path: Path) -> None:
    """A file that is one line to others is read in parts, and cut at none of them."""
    count = 150_000
    content = "phone,name\r" + "".join(f"{place:09},Ann\r" for place in range(count))
    rows = rows_of(tmp_path, content)
    assert [f"{place:09}" for place in range(count)] == [row.cells["phone"] for row in rows]
    assert count + 1 == rows[-1].line


def test_error_in_a_file_that_names_its_delimiter(tmp_path: Path) -> None:
    """A broken line is told by its number in the file."""
    with pytest.raises(InvalidMessageError, match="line 3: this is no proper CSV"):
        rows_of(tmp_path, 'sep=;\nphone;name\n1;"Ann" Lee\n')


@pytest.mark.parametrize(
    ("header", "row", "hint"),
    [
        ("Phone 1 - Label,Phone 1 - Value", "Mobile,+63 917 123 4567", "'Phone 1 - Value'"),
        ("Phone 1 - Value,Phone 1 - Label", "0917-123-4567,Home", "'Phone 1 - Value'"),
        ("Phone type,Name,Number", "mobile,Ann,09171234567", "Number"),
        ("id,Mobile", "7,(0917) 123 4567", "Mobile"),
        ("born,mobile", "1990-01-31,639171234567", "mobile"),
        ("mine,yours", "09171234567,09171234568", None),
        ("Phone A,Phone B", "a,b", "'Phone A'"),
    ],
)
def test_column_that_holds_numbers_was_meant(
    tmp_path: Path, header: str, row: str, hint: str | None
) -> None:
    """Of the columns that somebody may mean, the one is proposed whose cells are numbers."""
    content = f"{header}\n{row}\n,\n{row}\n"
    with (
        file_of(tmp_path, content) as file,
        pytest.raises(InvalidMessageError) as caught,
    ):
        CsvMessages(file, Template("Hi"), "phone")

    expected = f". Did you mean --column {hint}?" if hint else f": {header.replace(',', ', ')}"
    assert str(caught.value).endswith(expected)


def test_short_and_long_rows(tmp_path: Path) -> None:
    """A missing cell is not there; one too many makes the row untrustworthy."""
    short, long = rows_of(tmp_path, "phone,name\n1\n2,Cruz, Juan\n")
    assert ({"phone": "1"}, "") == (short.cells, short.problem)
    assert "has 3 cells, and the header 2" in long.problem


def test_file_is_read_again(tmp_path: Path) -> None:
    """Each iteration begins at the first row, also after one that was left."""
    with file_of(tmp_path, "phone\n1\n2\n") as file:
        next(iter(file))
        assert [2, 3] == [row.line for row in file]


HOSTILE = [
    ("", "is empty; its first line names the columns"),
    ("\n\n", "is empty"),
    (b"phone\n1\n\xf1\n", "line 3 is no UTF-8 (byte 1); save the file as CSV in UTF-8"),
    ("phone,name\n1,Peña\n".encode("latin-1"), "line 2 is no UTF-8 (byte 5)"),
    ("phone\n1\n".encode("utf-16"), 'is UTF-16, as Excel\'s "Unicode Text" is; save it as CSV'),
    ("phone\n1\n".encode("utf-16-be"), "is UTF-16"),
    (b"p\0one\n1\n", "line 1 has a NUL byte"),
    (b"phone\n1\x00\n", "line 2 has a NUL byte"),
    ("phone\n" + "1" * 1_000_000 + "\n", "line 2 has more than 1000000 bytes"),
    ("phone\n" + "1" * 200_000 + "\n", "line 2: this is no proper CSV"),
    ('phone,name\n1,"Ann\n2,Bo\n', "line 3: this is no proper CSV"),
    ('phone,name\n1,"Ann" Lee\n', "line 2: this is no proper CSV"),
    ('phone,"name\n', "line 1: this is no proper CSV"),
]


@pytest.mark.parametrize(("content", "words"), HOSTILE, ids=[words for _, words in HOSTILE])
def test_hostile_files(tmp_path: Path, content: str | bytes, words: str) -> None:
    """A file that can't be trusted is refused as a whole, with the line and what to do."""
    with pytest.raises(InvalidMessageError) as caught:
        rows_of(tmp_path, content)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("name", ["missing.csv", "", "nul\0.csv"])
def test_no_such_file(tmp_path: Path, name: str) -> None:
    """A file that is not there is bad input."""
    with pytest.raises(InvalidMessageError, match="can't be read"):
        CsvFile(str(tmp_path / name), "phone")


def test_pipe(tmp_path: Path) -> None:
    """What can't be read twice is refused."""
    reader, writer = os.pipe()
    os.close(writer)
    with pytest.raises(InvalidMessageError, match="can't be read twice"):
        CsvFile(f"/dev/fd/{reader}", "phone")
    os.close(reader)


def test_file_that_breaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails in the middle is told like a file that can't be read."""
    with file_of(tmp_path, "phone\n1\n") as file:

        def fail() -> None:
            raise OSError(5, "Input/output error")

        with pytest.raises(InvalidMessageError, match="Input/output error"):
            file._take([], fail)  # pyright: ignore[reportPrivateUsage] - no disk fails on demand


def test_changed_file(tmp_path: Path) -> None:
    """What was checked is what is sent: a file that changed meanwhile is not read again."""
    with file_of(tmp_path, "phone\n1\n") as file:
        list(file)
        (tmp_path / "june.csv").write_text("phone\n1\n2\n")
        with pytest.raises(InvalidMessageError, match="was changed"):
            list(file)


@pytest.mark.parametrize(
    ("column", "words"),
    [("mobile", "has no column 'mobile'"), ("name", "has 2 columns 'name'"), ("", "columns ''")],
)
def test_columns_that_are_not_there_once(tmp_path: Path, column: str, words: str) -> None:
    """A column has to be there exactly once; the error names those there are."""
    with (
        file_of(tmp_path, "phone,name,name,,\n1,a,b,,\n") as file,
        pytest.raises(InvalidMessageError, match=words) as caught,
    ):
        file.check_column(column, "for the text")
    assert str(caught.value).endswith("its columns are: phone, name, name")


@pytest.mark.parametrize(
    ("header", "column", "option", "hint"),
    [
        ("Phones,name", "phone", "--column", "--column Phones"),
        ("Phone Number,name", "phone", "--column", "--column 'Phone Number'"),
        ("phone,First_Name", "first name", "", "{First_Name}"),
        ("phone,Names", "name", "", "{Names}"),
        ("Phone,PHONE", "phone", "--column", "--column PHONE"),
        ("number,name", "phone", "--column", None),
        ("Phone,Phone", "phone", "--column", None),
    ],
)
def test_column_that_was_meant(
    tmp_path: Path, header: str, column: str, option: str, hint: str | None
) -> None:
    """A column that is written otherwise is named as it has to be written."""
    with (
        file_of(tmp_path, f"{header}\n1,a\n", column) as file,
        pytest.raises(InvalidMessageError) as caught,
    ):
        file.check_column(column, "for this", option)

    expected = ". Did you mean" if hint is None else f". Did you mean {hint}?"
    assert (hint is not None) == str(caught.value).endswith(expected)
    assert f"its columns are: {header.replace(',', ', ')}" in str(caught.value)


@pytest.mark.parametrize(
    ("header", "column", "text", "key"),
    [
        ("PHONE,NAME,ID", "phone", "Hi {name}", "id"),
        (" Phone ,\u00a0Name,Id", "PHONE", "Hi {NAME}", " ID "),
        ("phone,name,id", " Phone", "Hi {Name}", "id"),
    ],
)
def test_capitals_and_outer_blanks_do_not_count(
    tmp_path: Path, header: str, column: str, text: str, key: str
) -> None:
    """Every column of a command, and of its text, is found however it is written."""
    with file_of(tmp_path, f"{header}\n1,Ann,7\n", column) as file:
        messages = list(CsvMessages(file, Template(text), column, key))

    assert [Message("1", "Hi Ann", key="7")] == messages


def test_capitals_count_where_columns_differ_by_them(tmp_path: Path) -> None:
    """One that is written exactly so is taken; of two others neither is."""
    with file_of(tmp_path, "phone,Phone,NAME,Name\n1,2,a,b\n") as file:
        (message,) = CsvMessages(file, Template("Hi"), "Phone")
        with pytest.raises(InvalidMessageError, match="has no column 'name' for the text"):
            CsvMessages(file, Template("Hi {name}"), "phone")

    assert "2" == message.to


def test_header_with_bars_is_told_how_to_name_them(tmp_path: Path) -> None:
    """A delimiter that is not guessed can be named, and the error says how."""
    with (
        file_of(tmp_path, "phone|name\n1|Ann\n") as file,
        pytest.raises(InvalidMessageError) as caught,
    ):
        CsvMessages(file, Template("Hi {name}"), "mobile")

    assert "separated by '|'? Then write sep=| as its first line" in str(caught.value)


def test_each_row_is_a_message_or_a_problem(tmp_path: Path) -> None:
    """Each row becomes a message or a problem, with its line."""
    content = "phone,name,id\n1,Ann,7\n2,,8\n,Cy,9\n4,Di\n5,Eve,10,11\n"
    with file_of(tmp_path, content) as file:
        rows = CsvMessages(file, Template("Hi {name}"), "phone", "id")
        messages = list(rows)

    assert Message("1", "Hi Ann", key="7") == messages[0]
    problems = [str(message.problem) for message in messages if isinstance(message, Unsendable)]
    assert ["'name'", "'phone'", "'id'"] == [words.split()[0] for words in problems[:3]]
    assert "this row has 4 cells" in problems[3]
    assert [2, 3, 4, 5, 6] == [rows.line_of(index) for index in range(5)]
