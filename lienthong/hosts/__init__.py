"""What stands on hosts: files and services as pyinfra puts them there, and the pure parts of that."""
