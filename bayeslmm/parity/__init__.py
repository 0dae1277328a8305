"""Both engines' estimates side by side, and every difference explained."""
