"""What the page on fractures says in words is what the page of scores, which the program writes, has."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def row(page, *cells):
    (line,) = [x for x in page.splitlines() if x.startswith("| " + " | ".join(cells) + " |")]
    n, inside = line.split("|")[4:6]
    return f"{inside.strip()} of {n.strip()}"


def test_counts_of_relative_risks():
    words, page = ((DOCS / name).read_text("utf-8") for name in ("fractures.md", "validation.md"))
    words = re.sub(r"\s+", " ", words)
    assert f"**{row(page, 'not fitted', 'all', 'every month')} inside" in words
    assert f"same comparison: {row(page, 'not fitted', 'all', 'latest month alone')}." in words
    shares = row(page, "not fitted", "interval published, or from published shares", "every month")
    alone = row(page, "not fitted", "interval from a reduction alone (`expected`)", "every month")
    assert f"published shares: {shares}; of the `expected` ones {alone}." in words
    assert f"marked `fit` {row(page, 'fitted', 'all', 'every month')}." in words
