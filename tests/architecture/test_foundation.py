# SPDX-License-Identifier: MIT
"""The ground the other tests stand on: real servers, and no test missing without a word."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import redis
import sqlalchemy as sa

from guichet_testing.servers import Databases, PostgresServer, ValkeyServer, running

ROOT = Path(__file__).parents[2]


def test_each_test_gets_an_empty_database_of_both_kinds(database_url):
    engine = sa.create_engine(database_url)
    try:
        assert sa.inspect(engine).get_table_names() == []

        with engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE mark (id integer)"))
            connection.execute(sa.text("INSERT INTO mark VALUES (1)"))

        with engine.connect() as connection:
            assert connection.scalar(sa.text("SELECT id FROM mark")) == 1
    finally:
        engine.dispose()


def test_a_killed_postgres_starts_again_with_what_was_committed():
    with running(PostgresServer) as server:
        url = Databases(server.base_url).create()
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            assert connection.scalar(sa.text("SHOW fsync")) == "on"
            assert connection.scalar(sa.text("SHOW synchronous_commit")) == "on"
            connection.execute(sa.text("CREATE TABLE kept AS SELECT 'نعم' AS word"))

        server.kill()
        server.start()

        with engine.connect() as connection:
            assert connection.scalar(sa.text("SELECT word FROM kept")) == "نعم"


def test_a_killed_valkey_starts_again_with_what_was_stored():
    with running(lambda: ValkeyServer(fsync="always")) as server:
        redis.Redis.from_url(server.url).set("bell", "1")

        server.kill()
        server.start()

        assert redis.Redis.from_url(server.url).get("bell") == b"1"


def test_a_redis_url_leads_to_an_empty_store(redis_url):
    assert redis.Redis.from_url(redis_url).dbsize() == 0


def test_a_browser_writes_arabic_and_tifinagh_from_the_right_side(browser):
    page = browser.new_page()
    page.set_content('<p dir="auto">شكاية</p><p dir="auto">ⵜⴰⵎⵓⵔⵜ</p>')

    directions = page.eval_on_selector_all(
        "p", "all => all.map(p => getComputedStyle(p).direction)"
    )

    assert directions == ["rtl", "ltr"]


@pytest.fixture
def project_that_skips(tmp_path):
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["guichet_testing.needs"]\n')
    (tmp_path / "test_one.py").write_text(
        "import pytest\n"
        "def test_runs(): pass\n"
        "def test_browser(chromium): pass\n"
        "@pytest.mark.xfail\n"
        "def test_known(): assert False\n"
    )
    (tmp_path / "test_two.py").write_text(
        "import pytest\npytest.skip('needs a moon', allow_module_level=True)\n"
    )
    return tmp_path


def run_pytest(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {k: v for k, v in os.environ.items() if k != "GUICHET_TEST_REQUIRE"}
    inherited |= {"PYTHONPATH": str(ROOT / "tests/support"), "PATH": str(folder)}
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "-c",
            os.devnull,
            "--rootdir",
            ".",
        ],
        cwd=folder,
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_is_not_run_is_listed_at_the_end(project_that_skips):
    done = run_pytest(project_that_skips)

    assert done.returncode == 0
    account = done.stdout[done.stdout.index("not run") :]
    assert "1 × needs a moon" in account
    assert "needs chromium (Debian: apt install chromium)" in account
    assert "test_one.py::test_browser" in account
    assert account.splitlines()[-1].startswith("=")


def test_where_all_is_required_a_skip_is_a_failure(project_that_skips):
    done = run_pytest(project_that_skips, GUICHET_TEST_REQUIRE="all")

    assert done.returncode == 2  # a file that could not be read
    assert "allows no skip: needs a moon" in done.stdout

    (project_that_skips / "test_two.py").unlink()
    done = run_pytest(project_that_skips, GUICHET_TEST_REQUIRE="all")

    assert done.returncode == 1
    assert "allows no skip: needs chromium" in done.stdout
    assert "1 passed, 1 xfailed, 1 error" in done.stdout


def test_public_data_may_be_away_even_then(project_that_skips):
    for name in ("test_one.py", "test_two.py"):
        (project_that_skips / name).unlink()
    (project_that_skips / "test_data.py").write_text("def test_data(corpora): pass\n")
    nowhere = str(project_that_skips / "nowhere")
    done = run_pytest(project_that_skips, GUICHET_TEST_REQUIRE="all", GUICHET_CORPORA=nowhere)

    assert done.returncode == 0, done.stdout
    assert "1 × public data beside the project is not here" in done.stdout


def test_a_misspelt_requirement_is_refused(project_that_skips):
    done = run_pytest(project_that_skips, GUICHET_TEST_REQUIRE="everything")

    assert done.returncode != 0
    assert "GUICHET_TEST_REQUIRE is 'everything'" in done.stderr
