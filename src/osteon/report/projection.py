"""The picture of a population over the years under policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from osteon.report import figures
from osteon.uncertainty import LOWER, UPPER

if TYPE_CHECKING:
    from osteon.population.project import Projection

_SHOWN = (
    ("osteoporosis", "People with osteoporosis, millions"),
    ("low_bone_mass", "People with low bone mass, millions"),
    ("hip_fracture", "Hip fractures a year, thousands"),
    ("fractures", "All fractures a year, millions"),
)
_SCALE = {"hip_fracture": 1e3}


def figure(found: Projection) -> Figure:
    """Four panels: bone on top, fractures below; lines at the most probable parameters, bands 5 to 95 % of draws."""
    with figures.style():
        picture = Figure(figsize=(9.5, 6.2), layout="constrained")
        axes = picture.subplots(2, 2)
        for ax, (measure, title) in zip(axes.flat, _SHOWN, strict=True):
            scale = _SCALE.get(measure, 1e6)
            for policy, colour in zip(found.policies, figures.COLOURS, strict=False):
                y = found.counts[policy.name][measure] / scale
                ax.plot(found.years, y[0], color=colour, lw=1.8, label=policy.name)
                if found.draws:
                    low, high = np.quantile(y[1:], [LOWER, UPPER], axis=0)
                    ax.fill_between(found.years, low, high, color=colour, alpha=0.15, lw=0)
            ax.set_title(title)
            ax.set_ylim(bottom=0)
            ax.xaxis.get_major_locator().set_params(integer=True)
        handles, labels = axes[0][0].get_legend_handles_labels()
        picture.legend(handles, labels, loc="outside lower center", ncols=min(5, len(labels)))
        picture.suptitle(f"{found.facts['population']}; a research tool, not medical advice", fontsize=10, x=0.01,
                         ha="left")  # fmt: skip
    return picture
