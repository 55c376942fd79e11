"""The page "Glossary": the words of the app in plain English."""

from __future__ import annotations

from html import escape

from osteon.app import glossary, theme
from osteon.app.parts import html


def page() -> None:
    """All terms, each with an anchor of its own."""
    theme.heading("Glossary", "The words of this app in plain English.")
    with theme.card("Words"):
        html.show(
            "<dl class=terms>"
            + "".join(
                f'<div id="{glossary.anchor(term)}"><dt>{escape(term)}</dt><dd>{escape(text)}</dd></div>'
                for term, text in glossary.TERMS.items()
            )
            + "</dl>"
        )
    with theme.card("Grades of evidence"):
        html.show(
            html.table(
                ("grade", "what the size of an effect on bone rests on"),
                [(html.Raw(theme.grade(letter)), words) for letter, words in theme.GRADES.items()],
                left=2,
                caption="Grades of evidence",
            )
        )
