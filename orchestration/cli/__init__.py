"""The command line: what a person or a scheduler starts.

Parses arguments, shows progress, and says what went wrong in one line. The work is done in `orchestration/lib`.
"""
