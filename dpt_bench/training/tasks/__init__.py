"""What a network is trained for, one task a file: its losses, and the score that selects the best checkpoint."""
