"""Boards: each a pure function of a Room that gives frozen figures; a page draws them and adds the words.

    veil        when a secret result may be seen, and which groups of it
    statements dots signify ranking energy paired      behind the veil
    affinity iceberg judging timeline balance          in the open

Nothing here is worded: states and flags are keys ("blind", "few"), texts are those that people or guides wrote.
"""
