"""A form as files: sheets (a table of records, one a repeat) written row by row in many formats, and how far it is."""
