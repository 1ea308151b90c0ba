"""Documents back from a vault: by default into a scratch folder of the vault, each compared with its hash."""
