"""What lies in the landing folder: the kinds of files there are, and a listing of those that are complete.

Lists and opens files. Reads no record.
"""
