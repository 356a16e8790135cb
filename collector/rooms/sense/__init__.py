"""Making sense of what rooms said: codes, agreement of coders, protected tables, quotes. Pure functions of values."""
