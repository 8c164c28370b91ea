"""How the data and the runs are: what `status` prints, checks warn of, alerts post and a run's summary shows.

Reads the publication and the notes of runs. Starts nothing and changes no data.
"""
