"""The deterministic simulator: tablets, a hub, central and a phone; disks lose power and lines lose messages.

Real: the engine and its transactions, queries, ingest, sync_once, enrol, every route of /sync/v1, SQLite itself.
On the way between them most statements are compiled once and spare SQLAlchemy's repetition (short_way.py).
Modelled: the disk (crash_vfs.py), the line (network.py), the phone's page (phone.py), time and chance (by_seed.py).
Invariants: ledger.py. Rules broken on purpose, which must be noticed: mutants.py.
"""
