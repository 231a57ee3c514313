"""Each role on each route with each verb: what the table allows, and nothing else."""

from __future__ import annotations

import itertools

import pytest

from gateway.console.access import ACCESS, OPEN, allowed, settles_team, teams_seen
from gateway.console.app import PAGES
from gateway.store.accounts import ROLES, Account
from tests.console.scene import PEOPLE, Browser, Scene

VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
WHO = {"": None, "ada": "admin", "otto": "auditor", "rita": "reviewer"}
UNKNOWN = ("/admin", "/log/all", "/mail", "/mail/x/raw", "/accounts/x/y", "/static/../app.py", "/static/app.py", "//")
ROUTES = tuple(dict.fromkeys([route for route, _ in (*ACCESS, *OPEN)]))

ROLES_OF = {
    ("/log/export", "POST"): {"auditor", "admin"},
    ("/held/{id}/claim", "POST"): {"reviewer", "admin"},
    ("/held/{id}/settle", "POST"): {"reviewer", "admin"},
    ("/follow/{id}/close", "POST"): {"reviewer", "admin"},
    ("/policies/replay", "GET"): {"auditor", "admin"},
    ("/integrity", "GET"): {"auditor", "admin"},
    ("/integrity/verify", "POST"): {"auditor", "admin"},
    ("/accounts", "GET"): {"admin"},
    ("/accounts", "POST"): {"admin"},
    ("/accounts/{name}", "POST"): {"admin"},
}
"""What is not for every role, said a second time: a slip in the table must not agree with itself."""


@pytest.fixture(scope="module")
def browsers(scene: Scene) -> dict[str, Browser]:
    return {name: scene.browser(name) for name in WHO}


def test_the_tables_are_about_the_same_routes() -> None:
    served_apart = {("/static/{name}", "GET"), ("/healthz", "GET")}
    assert set(PAGES) == (set(ACCESS) | OPEN) - served_apart
    assert set(ROLES_OF) <= set(ACCESS)


def test_the_table_says_what_was_meant() -> None:
    for key, roles in ACCESS.items():
        assert set(roles) == ROLES_OF.get(key, set(ROLES)), key


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("route", ROUTES)
def test_each_role_on_each_route(scene: Scene, browsers: dict[str, Browser], route: str, verb: str) -> None:
    """With a token that is right, so that only the role decides; ids that do not exist, so that nothing happens."""
    path = route.replace("{id}", "none").replace("{name}", "nobody").replace("{version}", "none")
    known = (route, "GET" if verb == "HEAD" else verb) in {**ACCESS, **dict.fromkeys(OPEN)}
    for name, role in WHO.items():
        if (route, verb) == ("/log-out", "POST") and role is not None:
            continue  # ends the session, and is tested at the door
        browser = browsers[name]
        data = {"csrf": browser.csrf} if verb == "POST" else None
        answer = browser.http.request(verb, scene.url + path, data=data)
        if not known:
            assert answer.status_code in (404, 405), (name, route, verb)
        elif allowed(route, verb, role):  # type: ignore[arg-type]
            assert answer.status_code not in (401, 405) and answer.status_code < 500, (name, answer.status_code)
            assert "/log-in" not in answer.headers.get("location", "") or (route, verb) == ("/log-in", "GET")
            if answer.status_code == 403:  # the form of the door has a token of its own
                assert (route, verb) == ("/log-in", "POST"), (name, route, verb)
        elif role is None:
            to_the_door = answer.status_code == 303 and "/log-in" in answer.headers["location"]
            assert to_the_door or answer.status_code == 401, (route, verb, answer.status_code)
        else:
            assert answer.status_code == 403, (name, route, verb, answer.status_code)


@pytest.mark.parametrize("path", UNKNOWN)
def test_unknown_routes_are_nowhere(scene: Scene, browsers: dict[str, Browser], path: str) -> None:
    for name, verb in itertools.product(WHO, ("GET", "POST")):
        assert browsers[name].http.request(verb, scene.url + path).status_code in (303, 404, 405)
        assert browsers[name].http.request(verb, scene.url + path, follow_redirects=False).status_code != 200


@pytest.mark.parametrize(("route", "verb"), sorted(key for key in ACCESS if key[1] == "POST"))
def test_no_form_without_its_token(browsers: dict[str, Browser], route: str, verb: str) -> None:
    path = route.replace("{id}", "none").replace("{name}", "nobody")
    for name in ("ada", "rita"):
        for token in ("", "wrong", browsers["otto"].csrf):
            answer = browsers[name].post(path, csrf=token)
            assert answer.status_code == 403, (name, route, token)
            assert "Nothing was done" in answer.text or "does not allow" in answer.text


def test_reviewers_see_their_teams_only(scene: Scene, browsers: dict[str, Browser]) -> None:
    held = scene.hold("mine")
    vera = scene.browser("vera")
    assert browsers["rita"].get(f"/mail/{held}").status_code == 200
    assert vera.get(f"/mail/{held}").status_code == 404
    assert vera.post(f"/held/{held}/settle", do="send", why="x", seen="held.0.").status_code == 404
    assert vera.post(f"/held/{held}/claim", what="take").status_code == 404
    assert held in browsers["rita"].get("/held").text and held in browsers["rita"].get("/log").text
    assert held not in vera.get("/held").text and held not in vera.get("/log").text
    assert scene.outcome(held) == "held"


def test_teams_of_roles() -> None:
    def account(role: str, *teams: str) -> Account:
        return Account("x", "", "", role, teams, None)  # type: ignore[arg-type]

    assert teams_seen(account("auditor")) is None and teams_seen(account("admin")) is None
    assert teams_seen(account("reviewer", "a")) == ("a",) and teams_seen(account("reviewer", "*")) is None
    assert teams_seen(account("reviewer")) == ()
    assert settles_team(account("reviewer", "a"), "a") and not settles_team(account("reviewer", "a"), "b")
    assert not settles_team(account("auditor"), "a") and settles_team(account("admin"), "a")


def test_everybody_in_the_scene_has_a_role_that_is_tested() -> None:
    assert {role for role, _ in PEOPLE.values()} == set(ROLES)
