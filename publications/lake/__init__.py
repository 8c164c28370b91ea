"""The publication in a lake: Delta tables in a folder or in S3, of what the published file reports.

`tables` says which tables there are, `chunks` how their rows are divided among files, `place` where the files lie,
`delta` what a table of the lake holds and how it changes, and `publication` brings them together.
"""

from publications.lake.publication import Lake

__all__ = ["Lake"]
