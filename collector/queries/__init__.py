"""All the SQL of the program. Functions take a session opened by `db.reading` or `db.writing`; none commits."""
