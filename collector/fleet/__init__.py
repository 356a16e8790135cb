"""The nodes: how this one stands, how those below stand, may one be wiped."""
