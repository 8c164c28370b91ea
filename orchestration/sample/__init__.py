"""The sample workspaces that `make run` works on when nothing is configured, and a stand-in of respond.io's API.

Outside the path of real data: only the pipeline's first step and the command line import it.
"""
