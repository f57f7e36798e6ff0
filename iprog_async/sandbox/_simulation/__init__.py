"""What the gateways of the sandbox do: their state, their faults, and what they recorded."""
