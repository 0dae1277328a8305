"""What may stand inside a term: lexer > parser > nodes, which compute themselves from values by functions.

An expression is a language of its own, read by a parser that knows nothing else: no Python is run.
"""
