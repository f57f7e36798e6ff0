"""A batch on its way: what travels together, one outcome for each, halves of a refusal."""
