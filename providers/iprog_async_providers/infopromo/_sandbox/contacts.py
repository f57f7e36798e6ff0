"""Contact groups and contacts."""

from __future__ import annotations

import re
from typing import Any

from attrs import define, field
from starlette.responses import JSONResponse

from iprog_async.sandbox import SandboxState
from iprog_async_providers.infopromo._sandbox.wire import (
    Asked,
    RefusedError,
    missing,
    paginated,
    success,
)


_TAG = re.compile(r"[A-Z][A-Z0-9_]*")


@define
class Entry:
    """One contact."""

    uid: str
    phone: str
    fields: dict[str, str]

    def shown(self) -> dict[str, Any]:
        """Return it as the server shows it."""
        return {
            "uid": self.uid,
            "phone": self.phone,
            "status": "subscribe",
            "custom_fields": [{"tag": tag, "value": text} for tag, text in self.fields.items()],
        }


@define
class Group:
    """One group and its contacts."""

    uid: str
    name: str
    entries: dict[str, Entry] = field(factory=dict[str, Entry])

    def shown(self) -> dict[str, Any]:
        """Return it as the server shows it."""
        return {"uid": self.uid, "name": self.name}


class ContactBook:
    """Handlers of `contacts/…`."""

    def __init__(self, state: SandboxState) -> None:
        self._state = state
        self._groups: dict[str, Group] = {}

    def find(self, uid: str) -> Group | None:
        """Return a group by its uid."""
        return self._groups.get(uid)

    def groups(self, asked: Asked) -> JSONResponse:
        """List the groups."""
        return paginated([group.shown() for group in self._groups.values()], asked)

    def create_group(self, asked: Asked) -> JSONResponse:
        """Create a group."""
        asked.require("name")
        group = Group(self._state.new_id(), asked.text("name"))
        self._groups[group.uid] = group
        return success(group.shown(), "Contact group was successfully added")

    def show_group(self, asked: Asked) -> JSONResponse:
        """Return a group."""
        return success(self._group(asked).shown())

    def update_group(self, asked: Asked) -> JSONResponse:
        """Rename a group."""
        asked.require("name")
        group = self._group(asked)
        group.name = asked.text("name")
        return success(group.shown(), "Contact group was successfully updated")

    def delete_group(self, asked: Asked) -> JSONResponse:
        """Delete a group."""
        del self._groups[self._group(asked).uid]
        return success(None, "Contact group was successfully deleted")

    def all(self, asked: Asked) -> JSONResponse:
        """List a group's contacts."""
        return paginated([entry.shown() for entry in self._group(asked).entries.values()], asked)

    def store(self, asked: Asked) -> JSONResponse:
        """Add a contact; a number is in a group once."""
        group = self._group(asked)
        asked.require("PHONE")
        phone = asked.text("PHONE")
        if any(entry.phone == phone for entry in group.entries.values()):
            raise RefusedError(200, f"You have already subscribed to {group.name}")
        entry = Entry(self._state.new_id(), phone, _fields(asked))
        group.entries[entry.uid] = entry
        return success(entry.shown(), "Contact was successfully added")

    def search(self, asked: Asked) -> JSONResponse:
        """Return a contact."""
        return success(self._entry(asked).shown())

    def update(self, asked: Asked) -> JSONResponse:
        """Change a contact."""
        entry = self._entry(asked)
        asked.require("PHONE")
        entry.phone = asked.text("PHONE")
        entry.fields.update(_fields(asked))
        return success(entry.shown(), "Contact was successfully updated")

    def delete(self, asked: Asked) -> JSONResponse:
        """Delete a contact."""
        del self._group(asked).entries[self._entry(asked).uid]
        return success(None, "Contact was successfully deleted")

    def _group(self, asked: Asked) -> Group:
        group = self.find(asked.path["group"])
        if group is None:
            raise missing("ContactGroups", asked.path["group"])
        return group

    def _entry(self, asked: Asked) -> Entry:
        entry = self._group(asked).entries.get(asked.path["uid"])
        if entry is None:
            raise missing("Contacts", asked.path["uid"])
        return entry


def _fields(asked: Asked) -> dict[str, str]:
    return {
        tag: value for tag, value in asked.params.items() if tag != "PHONE" and _TAG.fullmatch(tag)
    }
