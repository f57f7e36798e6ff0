"""Several gateways as one: which is asked next, and which is left alone for a while."""
