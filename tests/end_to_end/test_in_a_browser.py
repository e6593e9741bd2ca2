# SPDX-License-Identifier: MIT
"""Every page in a real browser, at phone and desktop width, in Arabic and French.

Set ``GUICHET_TEST_SCREENSHOTS`` to a folder to keep a picture of each page.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page

from gateway.simulator.sound import tone
from guichet_testing.gateway import RunningGateway, until
from guichet_testing.traffic import mail, post_text, send_mail, webhook

PASSWORD, CLERK = "a-long-and-random-one-7431", "clerk@guichet.example"
WORDS = {
    "ar": "انقطع الماء عن حينا منذ ثلاثة أيام، الفاتورة رقم 4471 مؤداة.",
    "fr": "L'eau est coupée depuis trois jours dans notre quartier, facture nº 4471 payée.",
}
DECIDED = {
    "ar": {
        "danger": "النجدة، النار مشتعلة في بيت الجيران وفيه أطفال، أسرعوا",
        "both": "لا أدري لمن أكتب: شيء ما ليس على ما يرام عندنا منذ مدة",
        "alike": "ألف باء تاء ثاء جيم حاء خاء دال ذال راء زاي سين",
        "reason": "للإدارتين نصيب في الأمر",
    },
    "fr": {
        "danger": "Au secours, la maison des voisins est en feu avec des enfants dedans, vite !!",
        "both": "Je ne sais pas à qui écrire : quelque chose ne va pas chez nous depuis longtemps",
        "alike": "Alpha bravo charlie delta echo foxtrot golf hotel india juliett kilo lima",
        "reason": "Les deux y ont leur part",
    },
}
WIDTHS = [390, 1280]
SHOWN_CODE = re.compile(r"\d{4}-\d{4}-\d{4}")
#: What must never be read by a person: a placeholder, a key of the wording, a fault of ours.
RAW = re.compile(
    r"\{[a-z_]+\}|\{\{|\bTraceback\b|\bUndefined\b|\bNone\b"
    r"|\b(?:complain|track|received|case|status|notices|layout|ways|error|desk)\.[a-z_]{3,}"
)
#: Boxes that people press or fill, where two lie over each other by more than two pixels.
OVERLAPS = """() => {
  const boxes = [...document.querySelectorAll("a, button, input, select, textarea, summary")]
    .filter(e => e.checkVisibility({visibilityProperty: true}) && e.type !== "hidden")
    .filter(e => !e.closest(".skip, .visually-hidden"))
    .map(e => [e, e.getBoundingClientRect()]).filter(([, b]) => b.width > 1 && b.height > 1);
  const found = [];
  boxes.forEach(([a, p], i) => boxes.slice(i + 1).forEach(([b, q]) => {
    if (a.contains(b) || b.contains(a)) return;
    const wide = Math.min(p.right, q.right) - Math.max(p.left, q.left);
    const high = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
    if (wide > 2 && high > 2) found.push([a, b].map(e => e.outerHTML.slice(0, 80)));
  }));
  return found;
}"""

#: Plays a sound and waits for its end, or fails with the player's own words.
PLAYED_TO_ITS_END = """audio => new Promise((ended, failed) => {
  audio.onended = () => ended();
  audio.onerror = () => failed(audio.error.message);
  audio.muted = true;
  audio.play().catch(failed);
})"""


def all_looked_at(house: RunningGateway) -> bool:
    """Whether each written case was routed or handed to a person; a call waits for its words."""
    written = [case for case in house.export("cases") if case["channel"] != "voice"]
    return all(case["status"] != "received" for case in written)


@pytest.fixture(scope="module")
def house() -> Iterator[RunningGateway]:
    """A gateway with a few cases, one mail that nobody can read, and an operator."""
    gateway = RunningGateway()
    try:
        gateway.start()
        gateway.run(
            "users", "add", "--email", CLERK, "--role", "operator", "--password-stdin",
            stdin=PASSWORD + "\n",
        )  # fmt: skip
        for number, words in enumerate(WORDS.values()):
            assert post_text(gateway, webhook(gateway, f"+21266130000{number}", words)) == 200
        assert send_mail(gateway, "a@example.org", mail("a@example.org", WORDS["fr"])) == 250
        assert send_mail(gateway, "b@example.org", b"\x00\x01 no mail at all\r\n") == 250
        until(lambda: all_looked_at(gateway), what="the routing")
        yield gateway
    finally:
        gateway.close()


class Looked:
    """A page with all that is wrong with it so far."""

    def __init__(self, page: Page, language: str) -> None:
        self.page = page
        self.language = language
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        page.on(
            "console",
            lambda line: self.faults.append(line.text) if line.type == "error" else None,
        )

    def at(self, name: str) -> None:
        """Look at the present page."""
        page = self.page
        self._keep(name)
        direction = "rtl" if self.language == "ar" else "ltr"
        assert page.locator("html").get_attribute("dir") == direction, name
        assert page.locator("html").get_attribute("lang") == self.language, name
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{name} is {wide} px wider than the window"
        assert page.evaluate(OVERLAPS) == [], name
        found = RAW.findall(page.locator("body").inner_text())
        assert found == [], name
        assert self.faults == [], name

    def _keep(self, name: str) -> None:
        folder = os.environ.get("GUICHET_TEST_SCREENSHOTS")
        if folder and self.page.viewport_size:
            width = self.page.viewport_size["width"]
            path = Path(folder) / f"{name}-{self.language}-{width}.png"
            self.page.screenshot(path=path, full_page=True)


@pytest.fixture(params=WIDTHS)
def width(request: pytest.FixtureRequest) -> int:
    """The width of a window in pixels."""
    return int(request.param)


@pytest.fixture(params=["ar", "fr"])
def looked(browser: Browser, width: int, request: pytest.FixtureRequest) -> Iterator[Looked]:
    """A window of its own, with no cookie."""
    context = browser.new_context(viewport={"width": width, "height": 844}, locale=request.param)
    context.set_default_timeout(10_000)
    yield Looked(context.new_page(), request.param)
    context.close()


def test_a_citizen_files_and_follows(house: RunningGateway, looked: Looked) -> None:
    """Home, form, an error, the confirmation with code and PIN, tracking, and a page not there."""
    page, language = looked.page, looked.language
    page.goto(f"{house.base}/")
    page.goto(f"{house.base}/{language}/")
    looked.at("home")
    page.goto(f"{house.base}/{language}/privacy")
    looked.at("privacy")
    page.goto(f"{house.base}/{language}/complain")
    looked.at("form")
    page.click("main form button[type=submit]")
    assert page.locator(".error-summary").is_visible()
    looked.faults = [fault for fault in looked.faults if "422" not in fault and "400" not in fault]
    looked.at("form-error")
    page.fill("#description", WORDS[language])
    page.fill("#contact", "0661300077")
    page.click("main form button[type=submit]")
    code = SHOWN_CODE.search(page.locator(".codes").inner_text())
    assert code
    pin = page.locator(".codes dd").nth(1).inner_text()
    assert WORDS[language] in page.locator(".words").inner_text()
    # The code stands left to right inside Arabic text.
    assert page.locator(".codes bdi").first.get_attribute("dir") == "ltr"
    looked.at("received")
    page.goto(f"{house.base}/{language}/track")
    looked.at("track")
    page.fill("#code", code[0])
    page.click("main form button[type=submit]")
    assert code[0] in page.locator("main").inner_text()
    assert WORDS[language] not in page.locator("main").inner_text()
    looked.at("status")
    page.goto(f"{house.base}/{language}/track")
    page.fill("#code", code[0])
    page.fill("#pin", pin)
    page.click("main form button[type=submit]")
    assert WORDS[language] in page.locator("main").inner_text()
    looked.at("thread")
    page.goto(f"{house.base}/{language}/no-such-page")
    looked.faults = [fault for fault in looked.faults if "404" not in fault]
    looked.at("not-found")


def test_a_caller_hears_their_own_recording(
    house: RunningGateway, looked: Looked, width: int, tmp_path: Path
) -> None:
    """The recording of a call, behind code and PIN, plays to its end in the page."""
    page, language, seconds = looked.page, looked.language, 3.0
    spoken = tmp_path / "spoken.wav"
    spoken.write_bytes(tone(seconds))
    place, key = {"ar": ("132", "1"), "fr": ("133", "2")}[language]
    number = f"+21266{place}{width:04}"
    body = {"from": number, "keys": [key, "1"], "record": str(spoken)}
    call = httpx.post(f"{house.outside}/call", json=body, timeout=60).json()
    groups = [one["text"] for one in call["heard"] if re.fullmatch(r"\d(, \d)+", one["text"])]
    first = next(at for at, group in enumerate(groups) if len(group) == len("1, 2, 3, 4"))
    spelt = [group.replace(", ", "") for group in groups[first:]]
    code, pin = "".join(spelt[:3]), "".join(spelt[3:5])

    def fetched() -> bool:
        (case,) = [case for case in house.export("cases") if case["tracking_code"] == code]
        return all(file["sha256"] for said in case["messages"] for file in said["attachments"])

    until(fetched, what="the recording")
    page.goto(f"{house.base}/{language}/track")
    page.fill("#code", code)
    page.fill("#pin", pin)
    page.click("main form button[type=submit]")
    player = page.locator("main audio")
    looked.at("thread-with-a-recording")
    assert player.get_attribute("aria-label")
    assert "recording.wav" not in page.locator("main").inner_text()
    box = player.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    player.evaluate(PLAYED_TO_ITS_END)
    assert player.evaluate("audio => audio.duration") == pytest.approx(seconds, abs=0.1)
    assert player.evaluate("audio => audio.error") is None
    looked.at("thread-recording-played")


def test_a_clerk_at_the_desk(house: RunningGateway, looked: Looked) -> None:
    """Sign in, the cases, one case answered, *Needs a person*, the password page, sign out."""
    page, language = looked.page, looked.language
    number = f"+21266130{len(house.export('cases')):04}"
    assert post_text(house, webhook(house, number, WORDS[language])) == 200
    page.goto(f"{house.base}/desk/")
    other = page.locator(f"button[name=language][value={language}]")
    if other.count():  # else the browser's own language was taken already
        other.click()
    looked.at("sign-in")
    page.fill("#email", CLERK)
    page.fill("#password", PASSWORD)
    page.click("main form button:not([name=language])")
    looked.at("cases")
    page.click("th[scope=row] a")
    looked.at("case")
    page.fill("main form[action$=reply] textarea", WORDS[language])
    page.click("main form[action$=reply] button")
    assert page.locator(".words", has_text=WORDS[language]).count()
    looked.at("case-answered")
    page.click("a[href$=attention]")
    looked.at("needs-a-person")
    page.click("a[href$=password]")
    looked.at("password")
    page.click("form[action$=sign-out] button")
    assert page.locator("#password").is_visible()


def test_the_simulator(house: RunningGateway, looked: Looked) -> None:
    """The telephone, the mailbox and the web page of the demo, side by side."""
    looked.page.goto(f"http://127.0.0.1:{house.simulator_port}/simulator")
    looked.at("simulator")


def test_people_decide_at_the_desk(house: RunningGateway, looked: Looked, width: int) -> None:
    """Danger first, a case given up, divided, sent elsewhere, linked; and what its citizen sees."""
    page, language = looked.page, looked.language
    slug, words = ("onee-eau", DECIDED[language])
    number = int(f"{width}{len(house.export('cases')):03}")
    agent = f"agent-{number}@guichet.example"
    house.run(
        "users", "add", "--email", agent, "--role", "agent", "--administration", slug,
        "--password-stdin", stdin=PASSWORD + "\n",
    )  # fmt: skip
    page.goto(f"{house.base}/{language}/complain")
    page.fill("#description", words["danger"])
    page.click("main form button[type=submit]")
    assert page.locator("main [role=alert] a[href='tel:15']").is_visible()
    looked.at("received-danger")
    page.goto(f"{house.base}/{language}/complain")
    page.fill("#description", words["both"])
    page.click("main form button[type=submit]")
    code, pin = (page.locator(".codes dd").nth(at).inner_text() for at in (0, 1))
    for sender in (1, 2):
        text = f"{words['alike']} {'!' * sender}"
        assert post_text(house, webhook(house, f"+212662{number % 10**5:05}{sender}", text)) == 200
    until(lambda: all_looked_at(house), what="the routing")

    _decide(looked, house, code, agent)

    page.goto(f"{house.base}/{language}/track")
    page.fill("#code", code)
    page.click("main form button[type=submit]")
    told = page.locator(".timeline").inner_text()
    page.goto(f"{house.base}/{language}/track")
    page.fill("#code", code)
    page.fill("#pin", pin)
    page.click("main form button[type=submit]")
    assert len(page.locator(".timeline").inner_text()) > len(told)
    looked.at("steps")


def _decide(looked: Looked, house: RunningGateway, code: str, agent: str) -> None:
    """A case divided, its part given up by an agent, and the words for its citizen."""
    page, language = looked.page, looked.language
    slug, words = "onee-eau", DECIDED[language]
    _sign_in(page, house, CLERK, language)
    page.goto(f"{house.base}/desk/attention")
    first = page.locator("article.panel").first
    assert "panel--red" in (first.get_attribute("class") or "")
    looked.at("needs-danger")

    _open(page, house, code)
    selects = page.locator("form[action$=divide] select")
    selects.nth(0).select_option(slug)
    selects.nth(1).select_option("sante")
    page.fill("#divide-reason", words["reason"])
    looked.at("case-at-triage")
    page.click("form[action$=divide] button")
    looked.at("case-divided")
    page.click("aside a[href*='/desk/cases/']")
    child = page.url
    _sign_out(page)

    _sign_in(page, house, agent, language)
    page.goto(child)
    looked.at("case-of-an-agent")
    page.fill("#give-up-reason", words["reason"])
    page.click("form[action$=give-up] button")
    looked.at("given-up")
    _sign_out(page)

    _sign_in(page, house, CLERK, language)
    page.goto(child)
    looked.at("case-given-up")
    page.click("#elsewhere summary")
    page.click("#elsewhere form button")
    assert page.locator(".words").inner_text()
    looked.at("elsewhere")
    _sign_out(page)


def _sign_in(page: Page, house: RunningGateway, who: str, language: str) -> None:
    page.goto(f"{house.base}/desk/")
    other = page.locator(f"button[name=language][value={language}]")
    if other.count():
        other.click()
    page.fill("#email", who)
    page.fill("#password", PASSWORD)
    page.click("main form button:not([name=language])")


def _sign_out(page: Page) -> None:
    page.click("form[action$=sign-out] button")


def _open(page: Page, house: RunningGateway, code: str) -> None:
    page.goto(f"{house.base}/desk/")
    page.fill("form[action$=search] input[name=code]", code)
    page.click("form[action$=search] button")
