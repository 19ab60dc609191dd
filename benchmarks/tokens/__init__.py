"""How many token requests does it take? This SDK compared with Authlib and httpx-auth, in hard situations.

Every library calls the same server on loopback, as its documentation shows: Authlib's client fetches a token when it
has none, httpx-auth's authentication does so by itself. `python -m benchmarks.tokens` prints the table alone.
"""
