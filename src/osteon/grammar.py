"""The regimen text grammar.

    regimen    := "none" | block ("; then" block)*
    block      := component (" + " component)*
    component  := DRUG [DOSE UNIT] [ROUTE] ("once" | INTERVAL) ["x"N | "for" SPAN]
                  ["starting at" (day|week|month) N] ["donor" SPAN] ["source" TISSUE] ["autologous" | "allogeneic"]
                | "none for" SPAN
    INTERVAL   := daily | twice daily | weekly | monthly | yearly | every SPAN | qN(d|w|m|y)

A component with neither route nor time ("dasatinib 5 mg/kg + quercetin 50 mg/kg PO every 14 days x2") takes
those of the next one in its block. Errors give the column, counted from 1, and the nearest valid word.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
from typing import NamedTuple, NoReturn

from osteon import slips
from osteon.errors import RegimenError, nearest, shorten
from osteon.regimen import Block, Component, Dose, Regimen
from osteon.therapies import catalogue
from osteon.therapies.catalogue import ROUTE_WORDS, ROUTES, Therapy
from osteon.units import DOSE_UNIT_WORDS, DOSE_UNITS, SPAN_UNITS, Span, span_unit

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_Q_INTERVAL = re.compile(r"q(\d+\.?\d*)?(h|d|wk|w|mo|m|y)", re.IGNORECASE)
_INTERVALS = {"daily": Span(1, "day"), "weekly": Span(1, "week"), "monthly": Span(1, "month"),
              "yearly": Span(1, "year"), "annually": Span(1, "year"), "quarterly": Span(3, "month")}  # fmt: skip
SOURCES = ("marrow", "fat", "umbilical cord", "placenta", "fetal")  # of cells
_SOURCE_WORDS = {
    **{word: word for word in SOURCES}, "bone marrow": "marrow", "bm": "marrow", "adipose": "fat",
    "adipose tissue": "fat", "uc": "umbilical cord", "umbilical": "umbilical cord", "cord": "umbilical cord",
    "wharton's jelly": "umbilical cord", "placental": "placenta", "fetus": "fetal", "fetal liver": "fetal",
}  # fmt: skip
_KINSHIP = {"autologous": "autologous", "own": "autologous", "allogeneic": "allogeneic", "allogenic": "allogeneic"}
_CLAUSES = ("once", "every", "for", "starting", "donor", "source", *_KINSHIP, "twice", *_INTERVALS)
_MAX_NAME_WORDS = 4
SHORTEST_YEAR = 365.0
MAX_DAYS, MIN_DAYS = 366_000.0, 1e-3  # of any span: a thousand years, a minute and a half
MAX_DOSE, MAX_COUNT_DIGITS = 1e15, 6


class _Token(NamedTuple):
    word: str
    column: int  # from 1

    @property
    def key(self) -> str:
        return self.word.casefold()


def parse(text: str) -> Regimen:
    """The typed schedule of a regimen text; raises RegimenError."""
    if not isinstance(text, str) or not text.strip():
        raise RegimenError("empty; write 'none' for no treatment", str(text), 1)
    if text.strip().rstrip(".").casefold() in ("none", "placebo", "no treatment"):
        return Regimen()
    blocks = tuple(_Block(text, start, end).parse() for start, end in _split_blocks(text))
    _check_ends(text, blocks)
    return Regimen(blocks)


def _split_blocks(text: str) -> list[tuple[int, int]]:
    pieces, start = [], 0
    for match in re.finditer(r";\s*(\w*)", text):
        if match.group(1).casefold() != "then":
            raise RegimenError("write '; then' between two blocks", text, match.start() + 1)
        pieces.append((start, match.start()))
        start = match.end()
    pieces.append((start, len(text)))
    for begin, end in pieces:
        if not text[begin:end].strip():
            raise RegimenError("a treatment is missing here; 'none for 12 months' is a gap", text, begin + 1)
    return pieces


def _check_ends(text: str, blocks: tuple[Block, ...]) -> None:
    for index, block in enumerate(blocks):
        last = index == len(blocks) - 1
        if block.is_open and not last and not block.length_days():
            first = next(c for c in block.components if c.is_open)
            what = "this gap" if first.is_gap else f"{first.therapy}"
            raise RegimenError(
                f"{what} has no end, so the next block never starts; add 'for 12 months'"
                + ("" if first.is_gap else " or 'x12'"),
                text,
                first.column,
            )
        spans: dict[str, list[tuple[float, float, Component]]] = {}
        block_end = math.inf if last else block.length_days()
        for c in block.components:
            if not c.is_gap:
                stop = block_end if c.is_open else c.length_days(SHORTEST_YEAR)
                if c.start_days() >= stop and c.is_open:
                    raise RegimenError(f"{c.therapy} starts after its block has ended", text, c.column)
                for drug in c.therapy.split("+"):  # dasatinib+quercetin holds both
                    spans.setdefault(drug, []).append((c.start_days(SHORTEST_YEAR), stop, c))
        for therapy, found in spans.items():
            found.sort(key=lambda item: item[:2])
            for (start, stop, _), (later, _, component) in itertools.pairwise(found):
                if later < stop * (1 - 1e-12) or later == start:  # in the shortest year that a model has
                    raise RegimenError(
                        f"{therapy} overlaps {therapy} given earlier in the same block; end the first before "
                        f"the second starts, or write one after the other with '; then'",
                        text,
                        component.column,
                    )


class _Block:
    """Reads the block that stands at text[start:end]."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self.text, self.start, self.end = text, start, end

    def parse(self) -> Block:
        bounds, begin = [], self.start
        for match in re.finditer(r"(?<=\s)\+(?=\s)", self.text[self.start : self.end]):
            bounds.append((begin, self.start + match.start()))
            begin = self.start + match.end()
        bounds.append((begin, self.end))
        parsed = [_Component(self.text, a, b).parse() for a, b in bounds]
        done: list[Component] = []
        for component, timed in reversed(parsed):
            if timed:
                done.append(component)
            elif done and component.route is None and not done[-1].is_gap:
                done.append(self._like_next(component, done[-1]))
            else:
                raise RegimenError(
                    f"{component.therapy} does not say when: add 'once' or an interval such as 'daily'",
                    self.text,
                    component.column,
                )
        return Block(tuple(reversed(done)))

    def _like_next(self, component: Component, after: Component) -> Component:
        routes = catalogue.get(component.therapy).routes
        return dataclasses.replace(
            component,
            route=after.route if after.route in routes else None,
            interval=after.interval,
            count=after.count,
            duration=after.duration,
            start=after.start,
        )


class _Component:
    """Reads the component that stands at text[start:end]."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self.text = text
        self.tokens = [_Token(m.group(), start + m.start() + 1) for m in re.finditer(r"[^\s,]+", text[start:end])]
        self.at = 0
        if not self.tokens:
            raise RegimenError("a treatment is missing here", text, min(start + 1, len(text)))
        self.end_column = self.tokens[-1].column + len(self.tokens[-1].word)

    def fail(self, message: str, column: int) -> NoReturn:
        raise RegimenError(message, self.text, column)

    def peek(self) -> _Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, expected: str) -> _Token:
        token = self.peek()
        if token is None:
            self.fail(f"{expected} is missing at the end", self.end_column)
        self.at += 1
        return token

    def parse(self) -> tuple[Component, bool]:
        """The component, and whether it says when it is given."""
        first = self.tokens[0]
        if first.key in ("none", "placebo", "nothing"):
            return self.gap(first), True
        therapy = self.therapy()
        dose = self.dose(therapy)
        fields: dict[str, object] = {}
        timed = False
        while (token := self.peek()) is not None:
            name, value = self.clause(token, therapy)
            if name in fields:
                if name == "interval" and "once" in (token.key, *(t.key for t in self.tokens)):
                    self.fail("'once' is a single dose; for one dose a week write 'weekly' alone", token.column)
                self.fail(f"{token.word!r} gives the {name} a second time; give it once", token.column)
            fields[name] = value
            timed = timed or name == "interval"
        if "count" in fields and "duration" in fields:
            self.fail("give either xN or 'for …', not both", first.column)
        if timed and fields["interval"] is None and ("count" in fields or "duration" in fields):
            self.fail(
                "a dose given once has neither xN nor 'for …'; write an interval such as 'monthly'", first.column
            )
        component = Component(therapy.id, dose, column=first.column, **fields)  # type: ignore[arg-type]
        if not timed and set(fields) - {"route"}:
            self.fail(f"{therapy.id} needs 'once' or an interval such as 'every 6 months'", self.end_column)
        return component, timed

    def gap(self, first: _Token) -> Component:
        self.at = 1
        if self.peek() is None:
            return Component("none", column=first.column)
        word = self.take("'for'")
        if word.key != "for":
            self.fail(f"expected 'for' after 'none', found {word.word!r}", word.column)
        span = self.span("the length of the gap")
        extra = self.peek()
        if extra is not None:
            self.fail(f"unexpected {extra.word!r} after a gap", extra.column)
        return Component("none", duration=span, column=first.column)

    def therapy(self) -> Therapy:
        for size in range(min(_MAX_NAME_WORDS, len(self.tokens)), 0, -1):
            found = catalogue.find(" ".join(t.word for t in self.tokens[:size]))
            if found is not None:
                self.at = size
                return found
        words: list[str] = []
        for token in self.tokens[:_MAX_NAME_WORDS]:
            if words and (_NUMBER.match(token.word) or token.key in ROUTE_WORDS or token.key in _CLAUSES):
                break
            words.append(token.word)
        name, first = " ".join(words), self.tokens[0]
        if "+" in name and catalogue.find(name.split("+")[-1]):
            self.fail(f"unknown drug {name!r}; write ' + ' with spaces between two treatments", first.column)
        self.fail(f"unknown drug {shorten(name, 40)!r}{slips.of_drug(name, first.word)}", first.column)

    def dose(self, therapy: Therapy) -> Dose | None:
        token = self.peek()
        match = _NUMBER.match(token.word) if token else None
        if token is None or match is None:
            if therapy.unit and not therapy.default_dose:
                self.fail(
                    f"{therapy.id} needs a dose in {therapy.unit} after its name",
                    token.column if token else self.end_column,
                )
            return None
        self.at += 1
        value, glued = float(match.group()), token.word[match.end() :]
        if not therapy.unit:
            self.fail(f"{therapy.id} takes no dose", token.column)
        if glued:
            unit_word, column = glued, token.column + match.end()
        else:
            unit_token = self.take(f"the unit of the dose ({therapy.unit})")
            unit_word, column = unit_token.word, unit_token.column
        unit = DOSE_UNIT_WORDS.get(unit_word.casefold())
        kind = DOSE_UNITS[therapy.unit][0]
        fitting = [u for u, (k, _) in DOSE_UNITS.items() if k in (kind, f"{kind}/kg")]
        if unit is None:
            self.fail(f"unknown unit {unit_word!r}{nearest(unit_word, fitting, 0)}", column)
        if unit not in fitting:
            self.fail(f"{therapy.id} is not given in {unit}; use {' or '.join(fitting)}", column)
        if not value > 0:
            self.fail(f"the dose must be above 0, not {shorten(match.group(), 20)}", token.column)
        if value > MAX_DOSE:
            self.fail(f"the dose {shorten(match.group(), 20)} is too large", token.column)
        return Dose(value, unit)

    def clause(self, token: _Token, therapy: Therapy) -> tuple[str, object]:
        self.at += 1
        key = token.key
        if key in ROUTE_WORDS:
            return "route", self.route(token, therapy)
        if key == "once":
            return "interval", None
        if key in _INTERVALS:
            return "interval", _INTERVALS[key]
        if key == "twice":
            word = self.take("'daily'")
            if word.key != "daily":
                self.fail(f"expected 'daily' after 'twice', found {word.word!r}", word.column)
            return "interval", Span(0.5, "day")
        if key == "every":
            return "interval", self.span("the interval", count_may_lack=True)
        if quick := _Q_INTERVAL.fullmatch(key):
            unit = span_unit(quick.group(2))
            assert unit is not None
            return "interval", self.positive(float(quick.group(1) or 1), unit, "the interval", token.column)
        if re.fullmatch(r"[x×][-+]?[\d.]*", key):
            return "count", self.count(token)
        if key == "for":
            return "duration", self.span("the duration")
        if key in ("starting", "from"):
            return "start", self.start()
        if key == "donor":
            if not therapy.donor:
                self.fail(f"{therapy.id} has no donor", token.column)
            return "donor", self.span("the donor's age")
        if (key == "source" or key in _KINSHIP) and not therapy.donor:
            self.fail(f"{therapy.id} has no donor", token.column)
        if key == "source":
            return "source", self.source()
        if key in _KINSHIP:
            return "kinship", _KINSHIP[key]
        if slip := slips.of_word(token.word):
            self.fail(slip, token.column)
        routes = [r for r in ROUTES if r in therapy.routes] or list(ROUTES)
        hint = nearest(token.word, [*routes, *_CLAUSES], 0.34) or nearest(token.word, routes, 0)
        self.fail(
            f"unknown word {token.word!r} where a route ({', '.join(routes)}), an interval or a length "
            f"is expected{hint}",
            token.column,
        )

    def source(self) -> str:
        first = self.take("the source of the cells")
        after = self.peek()
        if after is not None and (two := _SOURCE_WORDS.get(f"{first.key} {after.key}")):
            self.at += 1
            return two
        if found := _SOURCE_WORDS.get(first.key):
            return found
        self.fail(
            f"unknown source of cells {first.word!r}{nearest(first.word, _SOURCE_WORDS, 0.5)}; "
            f"there are {', '.join(SOURCES)}",
            first.column,
        )

    def route(self, token: _Token, therapy: Therapy) -> str:
        route = ROUTE_WORDS[token.key]
        if route not in therapy.routes:
            allowed = ", ".join(therapy.routes)
            self.fail(
                f"{therapy.id} is not given {route} ({ROUTES[route]}); "
                + (f"use {allowed}" if allowed else "it has no route"),
                token.column,
            )
        return route

    def count(self, token: _Token) -> int:
        digits = token.word[1:] or self.take("the number of doses").word
        if not re.fullmatch(rf"[0-9]{{1,{MAX_COUNT_DIGITS}}}", digits) or int(digits) < 1:
            self.fail(
                f"x{shorten(digits, 20)}: the number of doses must be a whole number above 0 (and below a million)",
                token.column,
            )
        return int(digits)

    def start(self) -> Span:
        word = self.take("'at'")
        if word.key != "at":
            self.fail(f"expected 'starting at day N', found {word.word!r}", word.column)
        unit_token = self.take("day, week or month")
        unit = span_unit(unit_token.word)
        if unit not in ("day", "week", "month"):
            hint = nearest(unit_token.word, ("day", "week", "month"), 0)
            self.fail(f"'starting at' counts in day, week or month, not {unit_token.word!r}{hint}", unit_token.column)
        number_token = self.take("a number")
        match = _NUMBER.fullmatch(number_token.word)
        if not match or not 0 <= float(match.group()) <= MAX_DAYS:
            self.fail(f"a start must be a number from 0, not {shorten(number_token.word, 20)!r}", number_token.column)
        return Span(float(match.group()), unit)

    def span(self, what: str, *, count_may_lack: bool = False) -> Span:
        token = self.take(f"{what} (such as '6 months')")
        match = _NUMBER.match(token.word)
        if match is None:
            unit = span_unit(token.word)
            if unit and count_may_lack:
                return Span(1.0, unit)
            self.fail(
                f"{what} needs a number in digits and a unit, such as '6 months', found {token.word!r}", token.column
            )
        word = token.word[match.end() :]
        column = token.column + match.end()
        if not word:
            unit_token = self.take(f"the unit of {what} (days, weeks, months, years)")
            word, column = unit_token.word, unit_token.column
        unit = span_unit(word)
        if unit is None:
            self.fail(f"unknown unit {word!r} of {what}{nearest(word, [u + 's' for u in SPAN_UNITS], 0)}", column)
        return self.positive(float(match.group()), unit, what, token.column)

    def positive(self, value: float, unit: str, what: str, column: int) -> Span:
        if not value > 0:
            self.fail(f"{what} must be above 0, for instance '6 months'", column)
        span = Span(value, unit)
        if not MIN_DAYS <= span.days() <= MAX_DAYS:
            self.fail(f"{what} must be from {MIN_DAYS:g} days to a thousand years, for instance '6 months'", column)
        return span
