"""The landing folder: the kinds of files, a listing of the complete ones, and a check that each is what its name says.

Lists and opens files, on a disk or in S3. Reads no record, and knows nothing of what was loaded before.
"""
