"""An outbox in the place of a gateway, for the tests of apps."""
