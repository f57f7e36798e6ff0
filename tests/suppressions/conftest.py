"""Where the lists of these tests are kept."""

from support.suppressions.fixtures import address, list_schema, place, suppressions


__all__ = ["address", "list_schema", "place", "suppressions"]
