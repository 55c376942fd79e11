"""Trial records of ClinicalTrials.gov: reading, storing, searching, and what their text says about cells and bone.

The records belong to the registry and are never shipped; attribute them to ClinicalTrials.gov and show their date.
"""

from osteon.registry.extract import Extraction, extract
from osteon.registry.record import Record
from osteon.registry.value import Value

ATTRIBUTION = (
    "Source: ClinicalTrials.gov (U.S. National Library of Medicine); texts are as registered, values drawn from"
)
ATTRIBUTION += " them are osteon's."

__all__ = ["ATTRIBUTION", "Extraction", "Record", "Value", "extract"]
