"""Reading answers as a gateway's file describes them; what it does not call a proof is unknown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

from attrs import frozen

from iprog_async import Balance, DeliveryStatus, Outcome
from iprog_async.adapter import (
    Answer,
    PreparedMessage,
    Refusal,
    accepted,
    amount_or_none,
    id_or_none,
    is_array,
    is_object,
    mask_keys,
    names_errors,
    refuse_or_give_up,
)
from iprog_async_providers.toml._claims import may_be_an_error
from iprog_async_providers.toml._file import GatewayFile
from iprog_async_providers.toml._pointers import MISSING, Pointer
from iprog_async_providers.toml._proofs import to_text


@frozen
class Answers:
    """Reads the answers to one account.

    Args:
        file: What the gateway's file says.
        provider: Name of the provider.
        refusals: The user's own rows, searched first.
    """

    file: GatewayFile
    provider: str
    refusals: tuple[Refusal, ...] = ()

    def sent(self, answer: Answer, prepared: PreparedMessage) -> list[Outcome]:
        """Read the answer to a send."""
        proof = self.file.accepted
        data = answer.data
        if answer.status not in proof.status or not all(each.holds(data) for each in proof.where):
            self._give_up(answer)
        if self._has_error(data):
            # It says both.
            self._give_up(answer)
        message_id = self._id(data)
        if proof.id is not None and message_id is None:
            self._give_up(answer)
        return [
            accepted(
                prepared,
                self.provider,
                message_id=message_id,
                cost=None if proof.cost is None else amount_or_none(proof.cost.find(data)),
                scheduled=prepared.wire.schedule_at is not None,
                raw=mask_keys(data),
            )
        ]

    def balance(self, answer: Answer, amount: Pointer, unit: str) -> Balance:
        """Read the answer to a question about the balance."""
        found = amount_or_none(amount.find(answer.data)) if _is_success(answer) else None
        if found is None:
            self._give_up(answer)
        return Balance(found, unit, f"{found} {unit}".strip(), mask_keys(answer.data))

    def status(self, answer: Answer) -> DeliveryStatus:
        """Read the answer to a question about a text."""
        call = self.file.status
        found = MISSING if call is None else call.word.find(answer.data)
        if call is None or not _is_success(answer) or not isinstance(found, (str, int)):
            self._give_up(answer)
        word = str(found)
        return DeliveryStatus(call.state(word), word, mask_keys(answer.data))

    def _id(self, data: object) -> str | None:
        """Return the id of the text in an answer, if there is one."""
        pointer = self.file.accepted.id
        return None if pointer is None else id_or_none(pointer.find(data))

    def _has_error(self, data: object) -> bool:
        """Return whether an answer that has all of what was taken has an error, too."""
        errors = self.file.errors
        if errors.marks(data):
            return True
        if any(self._names_errors(place, holder) for place, holder in self._holders(data)):
            return True
        asked = self.file.accepted.where
        said = errors.said(data)
        if not said:
            return False
        if any(row.is_said(text) for row in self.file.refused for text in said):
            return True
        # Where nothing marks an error, its words do: all that `accepted.where` does not ask for.
        proved = {to_text(each.pointer.find(data)) for each in asked}
        return not errors.where and any(
            may_be_an_error(text) for text in said if text not in proved
        )

    def _holders(self, data: object) -> Iterator[tuple[tuple[str, ...], object]]:
        """Yield what may hold an error of the text: the answer, its data, all around the id."""
        yield (), data
        yield ("data",), Pointer(("data",)).find(data)
        pointer = self.file.accepted.id
        tokens = () if pointer is None else pointer.tokens
        for end in range(1, len(tokens)):
            yield tokens[:end], Pointer(tokens[:end]).find(data)

    def _names_errors(self, place: tuple[str, ...], holder: object) -> bool:
        """Return whether an object has an error that the file does not ask for."""
        if not is_object(holder):
            return False
        asked = [each.pointer.tokens for each in self.file.accepted.where]
        for key in _ERROR_KEYS & holder.keys():
            pointer = Pointer((*place, key))
            if any(each[: len(pointer.tokens)] == pointer.tokens for each in asked):
                continue
            texts = _texts(holder[key]) if self.file.errors.cover(pointer) else None
            if (
                names_errors({key: holder[key]})
                if texts is None
                else any(map(may_be_an_error, texts))
            ):
                return True
        return False

    def _give_up(self, answer: Answer) -> NoReturn:
        """Raise what an answer proves that is no success, or that it proves nothing."""
        errors = self.file.errors
        said = errors.said(answer.data)
        reason = " ".join(said)
        # Only a send is answered by proofs.
        rows = (*self.refusals, *self.file.refusals(answer.data if answer.once else None))
        if answer.once and self._id(answer.data) is not None:
            rows = ()
        # An object that says something else than errors do is more than its status.
        bare = not reason and not (is_object(answer.data) and answer.data)
        raise refuse_or_give_up(
            answer,
            rows,
            provider=self.provider,
            reason=reason,
            form=errors.form,
            bare=bare,
        )


_ERROR_KEYS = frozenset(("error", "errors"))


def _texts(value: object) -> list[str] | None:
    """Return words and codes, one or a list of them; `None` if there is anything else."""
    parts: list[object] = value if is_array(value) else [value]
    texts = [to_text(part) for part in parts if part is not None]
    odd = any(isinstance(part, bool) or not isinstance(part, (str, int)) for part in parts if part)
    return None if odd else [text for text in texts if text]


def _is_success(answer: Answer) -> bool:
    return 200 <= answer.status < 300
