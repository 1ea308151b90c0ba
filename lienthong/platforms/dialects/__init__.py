"""The command lines that platforms are made of, one file each."""
