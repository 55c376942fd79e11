"""The end points: what can be read from a simulation and compared with a trial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from osteon.errors import InputError, nearest

Kind = Literal["bmd", "marker", "fracture", "exploration"]


@dataclass(frozen=True)
class Endpoint:
    """`kind` decides how it is averaged and scored: markers on the log scale, the rest as they are."""

    name: str
    label: str
    kind: Kind
    short: str


ENDPOINTS: dict[str, Endpoint] = {
    e.name: e
    for e in (
        Endpoint("lumbar_spine_bmd", "Lumbar spine BMD", "bmd", "spine"),
        Endpoint("total_hip_bmd", "Total hip BMD", "bmd", "hip"),
        Endpoint("femoral_neck_bmd", "Femoral neck BMD", "bmd", "neck"),
        Endpoint("distal_third_radius_bmd", "Distal third radius BMD", "bmd", "radius 1/3"),
        Endpoint("ultradistal_radius_bmd", "Ultradistal radius BMD", "bmd", "radius UD"),
        Endpoint("p1np", "P1NP", "marker", "P1NP"),
        Endpoint("ctx", "CTX", "marker", "CTX"),
        Endpoint("bsap", "BSAP", "marker", "BSAP"),
        Endpoint("vertebral_fracture", "Vertebral fracture", "fracture", "vert. fx"),
        Endpoint("hip_fracture", "Hip fracture", "fracture", "hip fx"),
        Endpoint("nonvertebral_fracture", "Non-vertebral fracture", "fracture", "nonvert. fx"),
        Endpoint("trabecular_bone_volume", "Trabecular bone volume", "exploration", "trab. volume"),
        Endpoint("cortical_bone_volume", "Cortical bone volume", "exploration", "cort. volume"),
        Endpoint("formation", "Bone formation", "exploration", "form."),
        Endpoint("resorption", "Bone resorption", "exploration", "resorp."),
        Endpoint("senescent_burden", "Senescent burden", "exploration", "senesc."),
        Endpoint("inflammation", "Inflammation", "exploration", "inflam."),
        Endpoint("progenitors", "Progenitors", "exploration", "progen."),
        Endpoint("graft", "Graft", "exploration", "graft"),
    )
}
SITES = ("lumbar_spine", "total_hip", "femoral_neck", "distal_third_radius", "ultradistal_radius")


def get(name: str) -> Endpoint:
    """The end point of that name; raises InputError with the nearest one."""
    try:
        return ENDPOINTS[name]
    except KeyError:
        raise InputError(f"unknown end point {name!r}{nearest(name, ENDPOINTS)}") from None
