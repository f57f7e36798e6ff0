"""What a campaign is, and the files that keep it over a restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, Field

from iprog_async import Message
from shop.campaign_progress import Progress


_LIST, _END = ".list.json", ".end.json"


class Person(BaseModel):
    """Somebody to text; whether the number is one shows when its turn comes."""

    phone: str
    name: str = Field(min_length=1)


class Campaign(BaseModel):
    """A text for many, with `{name}` where the name goes."""

    text: str = Field(min_length=1)
    people: list[Person] = Field(min_length=1)

    def messages(self) -> Iterator[Message]:
        """Yield a message for each person."""
        for person in self.people:
            # `str.format` would let the writer of the text look into the objects it is given.
            yield Message(person.phone, self.text.replace("{name}", person.name))


class CampaignFiles:
    """A folder with up to three files for each campaign.

    `june.list.json`, whom to text, is there as long as something is to be done; `june.db` is
    the journal of who was texted; `june.end.json` is how its last run ended.

    Args:
        folder: Where they are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def unfinished(self) -> dict[str, Campaign]:
        """Return the campaigns that an earlier process did not finish."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return {
            path.name.removesuffix(_LIST): Campaign.model_validate_json(path.read_bytes())
            for path in sorted(self._folder.glob(f"*{_LIST}"))
        }

    def journal(self, name: str) -> Path:
        """Return where the journal of a campaign is, or will be."""
        return self._folder / f"{name}.db"

    def begin(self, name: str, campaign: Campaign) -> None:
        """Keep whom to text."""
        self._write(self._folder / f"{name}{_LIST}", campaign)

    def forget(self, name: str) -> None:
        """Remove whom to text: all were, or nobody wants it any more."""
        (self._folder / f"{name}{_LIST}").unlink(missing_ok=True)

    def end(self, progress: Progress) -> None:
        """Keep how a run ended."""
        self._write(self._folder / f"{progress.name}{_END}", progress)
        if progress.state == "finished":
            self.forget(progress.name)

    def result(self, name: str) -> Progress | None:
        """Return how the last run ended, or `None`."""
        path = self._folder / f"{name}{_END}"
        return Progress.model_validate_json(path.read_bytes()) if path.exists() else None

    def _write(self, path: Path, value: BaseModel) -> None:
        """Write a file; a crash leaves the whole of it or nothing."""
        half_done = path.with_name(f"{path.name}.new")
        half_done.write_text(value.model_dump_json(), encoding="utf-8")
        half_done.replace(path)
