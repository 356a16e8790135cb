"""The protocol `collector-sync/1` and its engine: records, batches, push and receive. Knows no web pages."""
