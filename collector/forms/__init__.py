"""Forms: XLSForm in, questions and checked answers out. Pure: nothing here reads files or the network."""
