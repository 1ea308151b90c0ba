"""Who is heard: every asset says a nonce of its own, which is looked for where its events must be."""
