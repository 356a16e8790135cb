"""What the lab sees, worked out from forms and records alone. Pure: no files, no database, no network."""
