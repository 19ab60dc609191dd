"""Many threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.tokens.counting import Scenario, counted, threads

if TYPE_CHECKING:
    from benchmarks.tokens.libraries import Library


def cold(library: Library) -> str:
    return counted(library, lambda: threads(library.call, 64))


def aged(left: float) -> Scenario:
    def scenario(library: Library) -> str:
        library.call()
        library.age(left)
        return counted(library, lambda: threads(library.call, 64))

    return scenario


def down_but_alive(library: Library) -> str:
    library.call()
    library.age(50)
    library.provider.down = True
    return counted(library, lambda: threads(library.call, 64) + threads(library.call, 64))


def down(library: Library) -> str:
    library.provider.down = True
    return counted(library, lambda: threads(library.call, 64))


def revoked(library: Library) -> str:
    library.call()
    library.provider.revoke()
    return counted(library, lambda: threads(library.call, 64))


def consent_invalid(library: Library) -> str:
    library.call()
    library.provider.refusal = "CONSENT_INVALID"

    def calls() -> int:
        failed = 0
        for _ in range(1000):
            try:
                library.call()
            except Exception:
                failed += 1
        return failed

    return counted(library, calls)
