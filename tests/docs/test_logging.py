"""What docs/logging.md says of traces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import trace

if TYPE_CHECKING:
    import pytest

    from .conftest import Reader


class Span(trace.NonRecordingSpan):
    """A span that keeps what it is told."""

    def __init__(self) -> None:
        super().__init__(trace.INVALID_SPAN_CONTEXT)
        self.about: dict[str, Any] = {}
        self.status: Any = None

    def set_attribute(self, key: str, value: Any) -> None:
        self.about[key] = value

    def set_status(self, status: Any, description: str | None = None) -> None:
        self.status = status


class Tracer(trace.NoOpTracer):
    def __init__(self) -> None:
        self.spans: list[Span] = []

    def start_span(self, name: str, *args: Any, **about: Any) -> Span:
        self.spans.append(span := Span())
        span.about |= about.get("attributes") or {}
        return span


def test_spans(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    tracer = Tracer()
    monkeypatch.setattr(trace, "get_tracer", lambda _: tracer)
    reader.simulator.misbehave("/psd2", status=503)
    reader.python(reader.block("docs/logging.md", "Traces with OpenTelemetry").code)
    token, failed, answered = (span for span in tracer.spans if span.about)
    assert token.about["http.request.method"] == "POST"
    assert [span.about["http.response.status_code"] for span in (failed, answered)] == [503, 200]
    assert [span.about["http.request.resend_count"] for span in (failed, answered)] == [0, 1]
    assert failed.about["openpayments.request_id"] == answered.about["openpayments.request_id"]
    assert (failed.status, answered.status) == (trace.StatusCode.ERROR, None)
