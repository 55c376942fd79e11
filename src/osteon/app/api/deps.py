"""What the addresses of the API share: the jobs and the helper processes of this app."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from osteon.app.aside import Aside
from osteon.app.jobs import Jobs


@dataclass
class State:
    """Jobs; `aside` simulates plans, `clerk` judges trial records, so that neither waits for the other."""

    jobs: Jobs = field(default_factory=Jobs)
    aside: Aside = field(default_factory=Aside)
    clerk: Aside = field(default_factory=lambda: Aside(300.0))

    def close(self) -> None:
        """End all processes and remove the session's folder."""
        self.jobs.close()
        self.aside.close()
        self.clerk.close()


_current: list[State] = []


def use(state: State) -> State:
    """Make this the state of the pages, which NiceGUI keeps for the whole process."""
    _current[:] = [state]
    return state


def current() -> State:
    """The state of the pages."""
    return _current[0] if _current else use(State())


def state_of(request: Request) -> State:
    """The state of the app that a request came to."""
    found: State = request.app.state.osteon
    return found


StateOf = Annotated[State, Depends(state_of)]
