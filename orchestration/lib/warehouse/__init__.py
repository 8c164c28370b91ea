"""The warehouse file: planned, prepared for dbt, published in one step, verified.

Everything that opens the publication as a whole. SQL about contacts belongs in the models.
"""
