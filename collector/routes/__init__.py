"""HTTP only: read the request, ask, answer. No SQL here."""
