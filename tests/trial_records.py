"""Made-up trial records (no real study) and a local registry that behaves as the API v2 is documented to."""

from __future__ import annotations

import copy
import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse


def study(nct="NCT09000001", **changes):
    """A randomised, placebo-controlled study of allogeneic MSC in a vein in frail people; `changes` by dotted path."""
    made = {
        "protocolSection": {
            "identificationModule": {
                "nctId": nct,
                "briefTitle": "Allogeneic Mesenchymal Stem Cells in Frailty",
                "officialTitle": "A Randomized Trial of Intravenous Allogeneic Mesenchymal Stem Cells in Older Adults With Frailty",
            },
            "statusModule": {
                "overallStatus": "NOT_YET_RECRUITING",
                "statusVerifiedDate": "2022-08",
                "startDateStruct": {"date": "2023-09"},
                "completionDateStruct": {"date": "2026-12"},
                "lastUpdatePostDateStruct": {"date": "2022-09-01"},
            },
            "sponsorCollaboratorsModule": {"leadSponsor": {"name": "A Made-up University", "class": "OTHER"}},
            "descriptionModule": {
                "briefSummary": "Participants receive one infusion of cells into a vein or placebo and are followed for a year."
            },
            "conditionsModule": {"conditions": ["Frailty"], "keywords": ["ageing"]},
            "designModule": {
                "studyType": "INTERVENTIONAL",
                "phases": ["PHASE2"],
                "designInfo": {"allocation": "RANDOMIZED", "interventionModel": "PARALLEL"},
                "enrollmentInfo": {"count": 60, "type": "ESTIMATED"},
            },
            "armsInterventionsModule": {
                "armGroups": [
                    {
                        "label": "Cells",
                        "type": "EXPERIMENTAL",
                        "description": "One intravenous infusion of 2 x 10^6 cells/kg",
                        "interventionNames": ["Biological: Allogeneic MSC"],
                    },
                    {
                        "label": "Placebo",
                        "type": "PLACEBO_COMPARATOR",
                        "description": "One intravenous infusion of saline",
                        "interventionNames": ["Drug: Saline placebo"],
                    },
                ],
                "interventions": [
                    {
                        "type": "BIOLOGICAL",
                        "name": "Allogeneic MSC",
                        "description": "Bone marrow derived MSC, 2 x 10^6 cells/kg, intravenously",
                    },
                    {"type": "DRUG", "name": "Saline placebo"},
                ],
            },
            "outcomesModule": {
                "primaryOutcomes": [{"measure": "Walking distance", "timeFrame": "Baseline, 6 and 12 months"}]
            },
            "eligibilityModule": {
                "eligibilityCriteria": "Inclusion Criteria:\n\n* Frail\n\nExclusion Criteria:\n\n* Bisphosphonate in the last year",
                "sex": "ALL",
                "minimumAge": "50 Years",
                "maximumAge": "90 Years",
            },
            "contactsLocationsModule": {
                "locations": [
                    {
                        "facility": "Clinic A",
                        "city": "Seattle",
                        "state": "Washington",
                        "country": "United States",
                        "status": "RECRUITING",
                    }
                ]
            },
        },
        "derivedSection": {"conditionBrowseModule": {"meshes": [{"id": "D000073496", "term": "Frailty"}]}},
        "hasResults": False,
    }
    for path, value in changes.items():
        put(made, path, value)
    return made


def put(made, path, value):
    """Set (or with None remove) the value at a path such as `statusModule.overallStatus`."""
    at = made["protocolSection"] if not path.split(".")[0].endswith("Section") else made
    *parents, last = path.split(".")
    for part in parents:
        at = at.setdefault(part, {})
    if value is None:
        at.pop(last, None)
    else:
        at[last] = value


def osteoporosis(nct="NCT09000002", **changes):
    """An open study in women with osteoporosis."""
    return study(
        nct,
        **{
            "identificationModule.briefTitle": "Stem Cells in Osteoporosis",
            "identificationModule.officialTitle": "Allogeneic Mesenchymal Stem Cells in Osteoporosis",
            "conditionsModule.conditions": ["Osteoporosis, Postmenopausal"],
            "derivedSection.conditionBrowseModule.meshes": [{"id": "D010024", "term": "Osteoporosis"}],
            "statusModule.overallStatus": "RECRUITING",
            "statusModule.startDateStruct": {"date": "2022-01"},
            "eligibilityModule.sex": "FEMALE",
            **changes,
        },
    )


def many(n, first=9000100):
    """`n` studies with different ids."""
    return [study(f"NCT{first + i:08d}") for i in range(n)]


class Stub:
    """A registry on 127.0.0.1: token paging, total on the first page only, page size coerced at 1000, 400 as text, 429 with
    Retry-After, a moved id, gzip, an expired token, and a study that is given twice."""

    def __init__(self, studies, *, stamp="2022-10-07T09:00:05", most=1000):
        self.studies, self.stamp, self.most = copy.deepcopy(studies), stamp, most
        self.asked, self.trouble, self.tokens, self.repeat = [], [], {}, False
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                stub._answer(self)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/api/v2"

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def _answer(self, to):
        parts = urlparse(to.path)
        asked = {key: values[0] for key, values in parse_qs(parts.query).items()}
        path = parts.path.removeprefix("/api/v2")
        self.asked.append((path, asked))
        if self.trouble:
            status, headers, body = self.trouble.pop(0)
            return self._send(to, status, body, headers)
        if path == "/version":
            return self._json(to, {"apiVersion": "2.0.5", "dataTimestamp": self.stamp})
        if path == "/studies":
            return self._page(to, asked)
        if path.startswith("/studies/"):
            nct = path.rsplit("/", 1)[-1]
            for one in self.studies:
                module = one["protocolSection"]["identificationModule"]
                if nct in module.get("nctIdAliases", []):
                    return self._send(to, 301, b"", {"Location": f"/api/v2/studies/{module['nctId']}"})
                if module["nctId"] == nct:
                    return self._json(to, one)
            return self._send(to, 404, f"NCT number {nct} not found".encode(), {"Content-Type": "text/plain"})
        return self._send(to, 404, b"", {})

    def _page(self, to, asked):
        if "bad(" in asked.get("query.term", ""):
            return self._send(to, 400, b"`query.term` has incorrect format", {"Content-Type": "text/plain"})
        size = min(int(asked.get("pageSize") or 10) or 10, self.most)
        start = 0
        if "pageToken" in asked:
            if asked["pageToken"] not in self.tokens:
                return self._send(to, 400, b"`pageToken` is not valid or has expired", {"Content-Type": "text/plain"})
            start = self.tokens[asked["pageToken"]]
        page = self.studies[max(0, start - 1) if self.repeat else start : start + size]
        answer = {"studies": page}
        if start + size < len(self.studies):
            token = f"token{start + size}"
            self.tokens[token] = start + size
            answer["nextPageToken"] = token
        if asked.get("countTotal") == "true" and start == 0:
            answer["totalCount"] = len(self.studies)
        return self._json(to, answer)

    def _json(self, to, content):
        self._send(
            to,
            200,
            gzip.compress(json.dumps(content).encode()),
            {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        )

    def _send(self, to, status, body, headers):
        to.send_response(status)
        for key, value in headers.items():
            to.send_header(key, value)
        to.send_header("Content-Length", str(len(body)))
        to.end_headers()
        to.wfile.write(body)
