"""What the SDK costs, compared with others that do the same work. Run it with `make bench`.

`rows.py` says what is measured; `contenders/` does the work, in a file for each contender. `rounds.py` starts a process
of `measure.py` for each figure, with a copy of this tree or of another commit, which `trees.py` makes. `server.py`
answers them with what `bodies.py` has, at what `hosts.py` names. `tokens/` counts token requests, and is a program of
its own. `figures.py` has the arithmetic. `results.py` makes a page of all figures and of NOTES.md, which is written by
hand; `__main__.py` writes the page to RESULTS.md. requirements.txt locks what the contenders need.
"""
