# SPDX-License-Identifier: MIT
"""What is shown when something is refused or fails."""

from io import BytesIO

import pytest

from normalizer import tracking_code

LANGUAGES = ("ar", "fr", "en")


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [("/fr/none", "get", 404), ("/fr/complain", "put", 405), ("/crash", "get", 500)],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_error_pages_speak_the_visitors_language(town, path, method, status, language):
    path = path.replace("/fr/", f"/{language}/")
    response = getattr(town.client, method)(path, headers={"Accept-Language": language})
    assert response.status_code == status
    page = town.checked(response, language)
    assert "planted-secret" not in page.html
    if status == 405:
        assert "POST" in response.headers["Allow"]


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413, 422, 429, 500, 503])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_error_has_its_page(town, status, language):
    @town.app.get("/planted")
    def planted():
        from flask import abort

        abort(status)

    response = town.client.get("/planted", headers={"Accept-Language": language})
    assert response.status_code == status
    town.checked(response, language)


def test_a_machine_gets_one_plain_line(town):
    for path, status in (("/inbound/none", 404), ("/inbound/crash", 500), ("/api/none", 404)):
        response = town.client.get(path)
        assert response.status_code == status
        text = response.get_data(as_text=True)
        assert text.startswith(f"{status} ")
        assert text.count("\n") == 1
        assert "planted-secret" not in text
        assert response.mimetype == "text/plain"


def test_too_large_is_told_with_the_limit(town):
    response = town.post("ar", files=(BytesIO(b"x" * 1_200_000), "big.bin"))
    assert response.status_code == 413
    town.checked(response, "ar")


def test_a_register_that_cannot_be_reached_is_503(town):
    town.house.engine.dispose()
    (town.house.settings.data_dir / "guichet.sqlite3").unlink()
    response = town.track(code=tracking_code.new_code("212"))
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    town.checked(response, "fr")
