"""Where tables live: the interface, DuckDB, Spark, and the SQL that is kept for later."""
