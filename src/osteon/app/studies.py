"""Studies that come as text or JSON: checked, bounded, and written back as YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from osteon.app import limits
from osteon.errors import StudyError

if TYPE_CHECKING:
    from osteon.study import Study


def read(given: str | dict[str, Any], draws: int | None = None, *, trial: bool = False) -> Study:
    """A study from YAML text or from a mapping, within the app's limits; raises StudyError or InputError with line or
    field."""
    from osteon import files
    from osteon.study import study_from

    study = study_from(files.parse_yaml(given, "study", StudyError) if isinstance(given, str) else given)
    limits.check_study(study, draws, trial=trial)
    return study


def as_dict(study: Study) -> dict[str, Any]:
    """The study as a mapping that `osteon.study.study_from` reads: of a design the factors, not their cells."""
    found = study.model_dump(mode="json", exclude_none=True)
    if "factors" in found:
        found.pop("arms", None)
    return found


def yaml_of(study: Study) -> str:
    """The study as a YAML file."""
    import yaml

    text = yaml.safe_dump(as_dict(study), sort_keys=False, allow_unicode=True, width=110)
    return f"# A study for osteon: osteon run FILE. A research tool, not medical advice.\n{text}"


def told(study: Study) -> dict[str, Any]:
    """What POST /api/studies tells of a study that is valid."""
    from osteon.therapies import catalogue

    therapies = study.therapies()
    return {
        "study": as_dict(study),
        "id": study.id,
        "title": study.title or study.id,
        "arms": [{"name": arm.name, "regimen": str(arm.schedule)} for arm in study.arms],
        "therapies": {name: catalogue.get(name).evidence for name in therapies},
        "yaml": yaml_of(study),
    }
