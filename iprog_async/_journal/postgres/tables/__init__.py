"""The tables of what stands beside the entries, each as a step of the schema, with its grants."""
