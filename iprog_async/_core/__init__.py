"""What all layers use: values, errors, phone numbers, segments, masking."""
