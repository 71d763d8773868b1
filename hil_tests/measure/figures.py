"""Percentiles and tables for the benches. Numbers in, text out."""

from collections.abc import Iterable, Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0-1) of `values` lie; the largest for 1."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def spread(values: Sequence[float]) -> str:
    """p50 / p99 / max in ms, and how many."""
    if not values:
        return "no values"
    return f"p50 {percentile(values, 0.5):6.0f}   p99 {percentile(values, 0.99):6.0f}   max {max(values):6.0f} ms   n {len(values)}"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A plain table with columns as wide as needed."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(line[at]) for line in [list(head), *cells]) for at in range(len(head))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in [head, *cells]]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])
