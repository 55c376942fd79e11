"""The words of the app in plain English; pages link to them as /glossary#word."""

from __future__ import annotations

TERMS: dict[str, str] = {
    "Ancillary study": (
        "Measurements added to a trial that runs for another reason. A trial of stem cells in heart disease, "
        "say, could also measure bone, at a fraction of the cost of a trial of its own."
    ),
    "Antiresorptive": "A treatment that slows the breaking down of bone: bisphosphonates, denosumab, estrogen.",
    "Balance": (
        "Bone is always broken down and built up again. What counts is which of the two is ahead, and by how "
        "much; osteon follows both in each kind of bone."
    ),
    "BMD": (
        "Bone mineral density: how much mineral a scan (DXA) sees per area of bone, in g/cm². It says much, "
        "though not all, about how strong a bone is."
    ),
    "Cortical bone": "The dense shell of bones; four fifths of the skeleton by mass. It turns over slowly.",
    "CTX": "A blood marker of bone being broken down. It falls within weeks of an antiresorptive.",
    "Draw": (
        "One set of parameters that agrees with the trials. Running many draws shows how sure an answer is. "
        "Draws are what we do not know; they are not people."
    ),
    "Evidence grade": (
        "What the size of an effect rests on: A trials in people, B small or indirect trials, C animals or "
        "one uncertain trial, D assumed. An answer is no better than its weakest grade."
    ),
    "Excess over additive": "How much a combination gains beyond the sum of what its parts gain alone.",
    "Excess over better single": (
        "How much a combination gains beyond the better of its parts alone: whether it is worth giving both."
    ),
    "Factorial design": (
        "All combinations of some treatments, so that each one's own effect and what combining adds can be "
        "told apart."
    ),
    "Formation": "The building of new bone by osteoblasts.",
    "Fragility fracture": "A break from a fall from standing height or less, which healthy bone would withstand.",
    "Inflammation": "Here the slow, low-grade kind that comes with age. It speeds resorption and slows formation.",
    "Interval": (
        "Where 90 % of the answers lie (5 to 95 %), given what trials leave open. A wide one says: not known."
    ),
    "Mesenchymal stem cells": (
        "Cells from marrow, fat or cord that can become bone, fat or cartilage, and that calm inflammation. "
        "How much of an infusion reaches bone, and what it does there in people, is not settled."
    ),
    "Osteoblast": "A cell that builds bone.",
    "Osteoclast": "A cell that dissolves bone.",
    "Osteocyte": "A former osteoblast inside bone that senses load and directs the others; it makes sclerostin.",
    "Osteopenia": "A T-score between −1 and −2.5: low bone mass, not a disease by itself.",
    "Osteoporosis": "A T-score of −2.5 or lower, or bones that break from little.",
    "P1NP": "A blood marker of new bone being built.",
    "Progenitors": "Cells in marrow that can still become osteoblasts. There are fewer of them with age.",
    "RANKL": "The signal that makes osteoclasts. Denosumab blocks it.",
    "Rebound": (
        "A burst of resorption after denosumab is stopped, with loss of what was gained. It needs another "
        "treatment in its place."
    ),
    "Resorption": "The breaking down of bone by osteoclasts.",
    "RMSE": (
        "Root mean square error: by how much the model misses a published value, typically. Of markers it is "
        "counted on logarithms."
    ),
    "Sclerostin": "The brake on bone building that osteocytes make. Romosozumab blocks it.",
    "Senescent cells": "Worn cells that no longer divide, do not die, and inflame what is around them.",
    "Senolytic": (
        "A treatment that removes senescent cells, such as dasatinib with quercetin. Its effect on human bone "
        "is being studied; nothing is approved."
    ),
    "T-score": "BMD as standard deviations from the mean of young women: −2.5 and lower is osteoporosis.",
    "Trabecular bone": "The fine meshwork inside vertebrae and bone ends. It turns over fast and is lost first.",
    "Trial registry": (
        "A public list of studies. Being listed is no approval, and says nothing of whether a treatment works."
    ),
    "Validation": "Comparing the model with trials that it was not fitted to.",
    "Virtual trial": "A trial in simulation: people, arms, visits and end points as in a real one.",
}


def anchor(term: str) -> str:
    """The id of a term on the page."""
    return "".join(c if c.isalnum() else "-" for c in term.casefold())
