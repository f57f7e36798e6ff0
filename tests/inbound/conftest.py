"""Where lists, and what was seen, are kept."""

from support.suppressions.fixtures import address, list_schema, place, suppressions


__all__ = ["address", "list_schema", "place", "suppressions"]
