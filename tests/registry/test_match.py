"""Finding trials for a person: three-valued, honest about what is unknown; places and distances without a network."""

import datetime

import pytest

from osteon.errors import InputError
from osteon.registry import Record
from osteon.registry.match import Person, find, match
from osteon.registry.places import Place, distance, kilometres, parse, site
from osteon.registry.places import find as town
from trial_records import osteoporosis, study

TODAY = datetime.date(2022, 10, 10)
SEATTLE = Place("Seattle, US", 47.606, -122.332)


def reader(**more):
    return Person(**{"condition": "osteoporosis", "age": 51, "sex": "female", "near": SEATTLE, "within": 300, **more})


def beside(person=None, **changes):
    return match(Record(osteoporosis(**changes), "2022-10-10"), person or reader(), TODAY)


def test_one_that_may_fit():
    one = beside()
    assert one.fit == "may fit"
    assert set(one.criteria.values()) == {"yes"}
    assert one.km < 5
    assert one.site["facility"] == "Clinic A"
    assert "earlier bone medicines" in one.ask[0]
    assert list(one.as_dict())[:8] == [
        "nct",
        "fit",
        "criteria",
        "nearest_open_site",
        "km",
        "status",
        "verified",
        "snapshot",
    ]


@pytest.mark.parametrize(
    ("changes", "criterion", "value"),
    [
        ({"eligibilityModule.minimumAge": None, "eligibilityModule.maximumAge": None}, "age", "yes"),  # open limits drop nobody
        ({"eligibilityModule.maximumAge": None}, "age", "yes"),
        ({"eligibilityModule.minimumAge": "52 Years"}, "age", "no"),
        ({"eligibilityModule.maximumAge": "51 Years"}, "age", "yes"),  # until the 52nd birthday
        ({"eligibilityModule.maximumAge": "50 Years"}, "age", "no"),
        ({"eligibilityModule": None}, "age", "unknown"),
        ({"eligibilityModule.sex": "MALE"}, "sex", "no"),
        ({"eligibilityModule.sex": "ALL"}, "sex", "yes"),
        ({"eligibilityModule.sex": None}, "sex", "unknown"),
        ({"statusModule.overallStatus": "COMPLETED"}, "open", "no"),
        ({"statusModule.overallStatus": "NOT_YET_RECRUITING"}, "open", "unknown"),
        ({"statusModule.overallStatus": "UNKNOWN"}, "open", "unknown"),
        ({"statusModule.overallStatus": "UNKNOWN", "statusModule.lastKnownStatus": "ACTIVE_NOT_RECRUITING"}, "open", "no"),
        ({"statusModule.completionDateStruct": {"date": "2021-01"}}, "open", "unknown"),
        ({"contactsLocationsModule": None}, "near", "unknown"),
    ],
)  # fmt: skip
def test_criteria(changes, criterion, value):
    one = beside(**changes)
    assert one.criteria[criterion] == value
    assert one.fit == {"no": "does not fit", "unknown": "unclear", "yes": "may fit"}[value]


def test_what_the_person_does_not_tell_is_unknown():
    one = beside(Person("osteoporosis"))
    assert (one.criteria["age"], one.criteria["sex"]) == ("unknown", "unknown")
    assert "near" not in one.criteria
    assert one.fit == "unclear"


SITES = [
    {
        "facility": "Closed next door",
        "city": "Seattle",
        "state": "Washington",
        "country": "United States",
        "status": "COMPLETED",
    },
    {
        "facility": "Not yet",
        "city": "Seattle",
        "state": "Washington",
        "country": "United States",
        "status": "NOT_YET_RECRUITING",
    },
    {
        "facility": "Far",
        "city": "Boston",
        "state": "Massachusetts",
        "country": "United States",
        "status": "RECRUITING",
    },
    {"facility": "Open", "city": "Portland", "state": "Oregon", "country": "United States", "status": "RECRUITING"},
    {
        "facility": "Another Portland",
        "city": "Portland",
        "state": "Maine",
        "country": "United States",
        "status": "RECRUITING",
    },
]


def test_nearest_open_site_by_distance_not_by_order():
    one = beside(**{"contactsLocationsModule.locations": SITES})
    assert one.site["facility"] == "Open"
    assert 200 < one.km < 300
    far = beside(reader(within=100), **{"contactsLocationsModule.locations": SITES})
    assert far.criteria["near"] == "no"


def test_closed_sites_far_away_do_not_leave_hope():
    shut = {"statusModule.overallStatus": "NOT_YET_RECRUITING"}
    near = beside(**shut)
    assert (near.criteria["near"], near.site) == ("unknown", None)  # its site is near, and not open yet
    boston = beside(**shut, **{"contactsLocationsModule.locations": SITES[2:3]})
    assert boston.criteria["near"] == "no"


def test_sites_in_unknown_towns_do_not_exclude():
    places = [{"facility": "F", "city": "Nowheretown", "country": "United States", "status": "RECRUITING"}]
    one = beside(**{"contactsLocationsModule.locations": places})
    assert (one.criteria["near"], one.km) == ("unknown", None)
    assert one.site["facility"] == "F"
    abroad = [{**places[0], "country": "Indonesia"}]
    assert beside(**{"contactsLocationsModule.locations": abroad}).criteria["near"] == "no"  # whatever the town
    point = [{**places[0], "geoPoint": {"lat": 47.6, "lon": -122.3}}]
    assert beside(**{"contactsLocationsModule.locations": point}).km < 5


def test_site_without_status_counts_only_while_the_study_recruits():
    bare = [{"facility": "F", "city": "Seattle", "country": "United States"}]
    assert beside(**{"contactsLocationsModule.locations": bare}).site["status"] == "not given for the site"
    shut = {"contactsLocationsModule.locations": SITES, "statusModule.overallStatus": "COMPLETED"}
    assert beside(**shut).site is None


def test_condition_is_judged_here():
    other = study("NCT09000005")
    records = [Record(one, "2022-10-10") for one in (other, osteoporosis())]
    assert [m.record.nct for m in find(records, reader(), today=TODAY)] == ["NCT09000002"]
    keyword = Record(study("NCT09000006", **{"conditionsModule.keywords": ["osteoporosis"]}), "2022-10-10")
    assert match(keyword, reader(), TODAY).criteria["condition"] == "unknown"
    dental = Record(osteoporosis(**{"conditionsModule.conditions": ["Alveolar Bone Loss"], "identificationModule.briefTitle": "x",
                                    "identificationModule.officialTitle": "x",
                                    "derivedSection.conditionBrowseModule.meshes": []}), "2022-10-10")  # fmt: skip
    assert match(dental, reader(), TODAY).criteria["condition"] == "no"
    near = {"conditionsModule.conditions": ["Bone Loss"], "identificationModule.briefTitle": "x",
            "identificationModule.officialTitle": "x", "derivedSection.conditionBrowseModule.meshes": []}  # fmt: skip
    assert match(Record(osteoporosis(**near), "2022-10-10"), reader(), TODAY).criteria["condition"] == "unknown"
    osteopenia = Record(osteoporosis(**{"conditionsModule.conditions": ["Osteopenia"]}), "2022-10-10")
    assert match(osteopenia, reader(), TODAY).criteria["condition"] == "yes"


def test_order_and_every():
    shut = osteoporosis("NCT09000008", **{"statusModule.overallStatus": "COMPLETED"})
    unclear = osteoporosis("NCT09000003", **{"eligibilityModule.sex": None})
    records = [Record(one, "2022-10-10") for one in (shut, unclear, osteoporosis())]
    assert [m.record.nct for m in find(records, reader(), today=TODAY)] == ["NCT09000002", "NCT09000003"]
    assert [m.fit for m in find(records, reader(), today=TODAY, every=True)] == ["may fit", "unclear", "does not fit"]
    with pytest.raises(InputError, match="--condition"):
        find(records, reader(condition="  "), today=TODAY)


def test_warnings():
    paid = beside(**{"descriptionModule.detailedDescription": "This is a patient funded study.",
                     "armsInterventionsModule.armGroups": [{"label": "Cells", "type": "EXPERIMENTAL"}],
                     "armsInterventionsModule.interventions": [{"type": "BIOLOGICAL", "name": "MSC"}],
                     "conditionsModule.conditions": ["Osteoporosis", *"abcdef"]})  # fmt: skip
    assert len(paid.warnings) == 3
    assert "patient funded" in paid.warnings[0]
    access = beside(**{"designModule.studyType": "EXPANDED_ACCESS"})
    assert "expanded access" in access.warnings[0]


def test_never_says_eligible():
    one = beside()
    assert "eligible" not in str(one.as_dict()).casefold()


def _of(place):
    return place.lat, place.lon


def test_places():
    assert parse("Seattle, US").lat == pytest.approx(47.6, abs=0.1)
    assert parse("Portland, Maine, US").lon > -75
    assert parse("47.6,-122.3") == Place("47.6,-122.3", 47.6, -122.3)
    assert town("München", "Germany") == Place("München, Germany", *_of(town("Munich", "Germany")))
    assert kilometres(town("Seoul", "Korea, Republic of"), parse("Seoul, South Korea")) < 1
    assert 860 < kilometres(parse("Berlin, Germany"), parse("Paris, France")) < 890
    assert site({"city": 7, "country": None}) is None
    assert site({"geoPoint": {"lat": 999, "lon": 0}, "city": "Paris", "country": "France"}).lat < 50


@pytest.mark.parametrize(
    ("text", "hint"),
    [("Seattle", "town and country"), ("Seatle, US", "seattle"), ("Paris, Frence", "france"), ("91, 0", "within 90")],
)
def test_places_that_cannot_be_found(text, hint):
    with pytest.raises(InputError, match=hint):
        parse(text)


def test_distances():
    assert distance("300km") == distance("300 kilometres") == 300
    assert distance("100mi") == pytest.approx(160.9344)
    with pytest.raises(InputError, match="300km"):
        distance("near")


def test_towns_agree_with_the_registrys_own_points(shared):
    from osteon.registry.files import read

    gaps, sites, known = [], 0, 0
    for item in read(shared / "registry" / "native_v2_studies.jsonl.gz"):
        for row in Record(item.study).items("contactsLocationsModule.locations"):
            found = town(str(row.get("city")), str(row.get("country")), str(row.get("state") or ""))
            sites, known = sites + 1, known + (found is not None)
            if found and row.get("geoPoint"):
                gaps.append(kilometres(found, site(row)))
    assert known / sites > 0.9
    assert sorted(gaps)[int(0.95 * len(gaps))] < 5
