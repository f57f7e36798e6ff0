"""The picture of `iprog-async bulk` in the README: a real run against the sandbox, stopped midway.

`python -m benchmarks.picture` writes docs/images/bulk.svg again.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import io
import os
import re
import tempfile
from pathlib import Path

from attrs import define
from rich.console import Console
from rich.text import Text

from iprog_async import Counts, Journal
from iprog_async._sending.template import Template
from iprog_async.cli._bulk.csv_file import CsvFile
from iprog_async.cli._bulk.messages import CsvMessages
from iprog_async.cli._bulk.options import CommandOptions
from iprog_async.cli._bulk.preview import LABEL, preview
from iprog_async.cli._bulk.progress import ProgressBar
from iprog_async.cli._bulk.results_file import Results
from iprog_async.cli._bulk.run import BulkRunner
from iprog_async.cli._bulk.summary import summary_words
from iprog_async.cli._terminal.output import wrapped
from iprog_async.sandbox import Sandbox


OUTPUT = Path(__file__).parent.parent / "docs" / "images" / "bulk.svg"
ROWS = 5000
_WIDTH = 80
_SHOWN_AT = 0.62
_TEXT = "Hi {name}, we open at nine."
_COMMAND = f"""\
$ iprog-async bulk june.csv --text '{_TEXT}' \\
    --journal june.db --price 0.35 --currency PHP"""
# A picture asks no other host for its letters, and needs no advertisement.
_FONTS = re.compile(r"@font-face\s*\{.*?\}|<!--.*?-->", re.DOTALL)
_FAMILY = "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"


@define
class Snapshot:
    """Draws the bar for nobody, and keeps it as it was when enough had been sent.

    Args:
        bar: The bar.
        at: How many messages are enough.
        picture: Where it is kept.
    """

    bar: ProgressBar
    at: int
    picture: Console
    taken: bool = False

    def update(self, counts: Counts) -> None:
        """Draw the bar."""
        self.bar.update(counts)
        if counts.total >= self.at and not self.taken:
            self.taken = True
            self.bar.draw(counts)
            self.picture.print(self.bar.render())

    def close(self, counts: Counts) -> None:
        """Draw the bar for the last time."""
        self.bar.close(counts)


async def record(rows: int, picture: Console) -> list[str]:
    """Print a run on a console as a terminal would show it midway, and return how it ended."""
    _write(Path("june.csv"), rows)
    options = CommandOptions(
        file="june.csv", text=_TEXT, journal="june.db", price="0.35", currency="PHP", url=None
    )
    picture.print(Text(_COMMAND, style="bold"))
    with CsvFile(options.file, options.column) as csv_file:
        messages = CsvMessages(csv_file, Template(options.text), options.column)
        async with options.open_client() as client:
            with Journal.open("june.db") as journal:
                price = options.segment_price()
                plan = await client.plan_many(
                    messages, journal=journal, price=None if price is None else price.amount
                )
                shown = await preview(client, options, plan, messages)
                picture.print(Text("\n".join(wrapped(shown.words(), LABEL, _WIDTH))))
                picture.print(Text(f"Send {plan.recipients} texts now? [y/N] y"))
                nowhere = Console(file=io.StringIO(), force_terminal=True, width=_WIDTH)
                bar = Snapshot(
                    ProgressBar(plan.total, nowhere), int(plan.total * _SHOWN_AT), picture
                )
                runner = BulkRunner(options, messages, Results(None), bar, plan.total)
                ended = await runner.run(client, journal)
    return summary_words(options, ended)[0]


def to_svg(picture: Console) -> str:
    """Return what a console recorded as a picture that loads nothing."""
    drawn = picture.export_svg(title="iprog-async bulk", unique_id="bulk")
    lines = _FONTS.sub("", drawn).replace("Fira Code, monospace", _FAMILY).splitlines()
    return "".join(f"{line.rstrip()}\n" for line in lines if line.strip())


def _write(path: Path, rows: int) -> None:
    """Write people to a file, of whom some have a number that is none, and some are there twice."""
    with path.open("w", encoding="utf-8", newline="") as file:
        sheet = csv.writer(file)
        sheet.writerow(("phone", "name"))
        # The sandbox refuses numbers that end in 0001.
        for place in range(10, rows + 10):
            number = "0917 123" if place % 1500 == 700 else f"0917{place:07}"
            sheet.writerow((number, f"Ann {place}"))
        sheet.writerow(("09170000010", "Ann 10"))


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=OUTPUT, help="where the picture goes")
    parser.add_argument("--rows", type=int, default=ROWS, help="how many people are texted")
    given = parser.parse_args()
    output = given.output.absolute()
    picture = Console(file=io.StringIO(), record=True, width=_WIDTH, force_terminal=True)
    with tempfile.TemporaryDirectory() as folder, Sandbox(credit=10 * given.rows) as sandbox:
        os.chdir(folder)
        os.environ["SMS_URL"] = sandbox.address("iprog")
        print(*asyncio.run(record(given.rows, picture)), sep="\n")
        os.chdir(OUTPUT.parent.parent)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(to_svg(picture), "utf-8")


if __name__ == "__main__":
    main()
