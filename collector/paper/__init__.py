"""A form on paper: sheets with a serial of their own, what is printed on them, and how they are entered. Pure."""
