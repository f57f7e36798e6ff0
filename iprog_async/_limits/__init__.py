"""What all processes of one account share: its rate, its pauses, its circuit breakers."""
