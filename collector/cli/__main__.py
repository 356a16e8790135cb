"""`python -m collector.cli`: the command, where it is not on the path."""

from collector.cli import start

start()
