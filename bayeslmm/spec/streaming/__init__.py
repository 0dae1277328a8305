"""Designs of data that stay where they are: Parquet files and Dask frames, read in chunks."""
