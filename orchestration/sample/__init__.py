"""The sample workspaces that `make run` works on when nothing is configured, and a stand-in of respond.io's API.

Real data never passes here: only the pipeline's first step and the command line import this package.
"""
