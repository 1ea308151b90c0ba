"""From what the inventory says to what must be true: pure, and stable when sites come and go."""
