"""Forms ready to publish, and the list of provinces, comarcas and districts they ask with.

Only files live here; README.md says what each one is for. `tools/make_starter_xlsx.py` makes the .xlsx from the .md.
"""
