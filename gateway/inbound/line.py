# SPDX-License-Identifier: MIT
"""What the dialogue is given: wording, voices, clips, and places signed into action URLs."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from flask import Response, request, send_file
from itsdangerous import BadData, URLSafeSerializer

from channels.voice.clips import MEDIA_TYPES, ClipFolder
from channels.voice.dialogue import Line, Place, Say, Step
from channels.voice.prompts import Prompts
from channels.voice.speech import Sound, Speech
from config.voice import spoken_prompts
from config.wording import ANSWERED_IN
from gateway.house import House, current_house

BASE = "/inbound/voice/twilio"
CLIPS = "/inbound/voice/clips"
SALT, CLIP_SALT = "voice-line", "voice-clip"
#: Seconds that a provider may keep a clip; a clip that changes gets another URL.
CLIP_LIFE = 86_400

_prompts_of = cache(spoken_prompts)


def words_of_line(house: House) -> Say:
    """The wording of the line: what is recorded in a language, else what is said in it."""

    def say(language: str, key: str, **values: object) -> str:
        recorded = _prompts_of(language).get(key)
        if recorded is not None:
            return recorded.format_map(values) if values else recorded
        return house.wording.text(language, f"voice.{key}", **values)

    return say


def line_of(house: House) -> Line:
    """What the dialogue needs: wording, signed URLs, voices and clips."""
    voice = house.settings.voice
    serializer = _serializer(house, SALT)
    folder = clips_of(house)

    def url(place: Place) -> str:
        token = serializer.dumps(
            [
                str(place.step),
                place.language,
                place.silences,
                place.tries,
                place.entry,
                place.repeats,
                place.part,
            ]
        )
        return f"{house.settings.public_base_url}{BASE}/{place.step}?at={token}"

    def clip(language: str, name: str) -> str | None:
        file = folder.find(language, name)
        if file is None:
            return None
        told = file.stat()
        token = _serializer(house, CLIP_SALT).dumps(
            [language, name, told.st_size, told.st_mtime_ns // 1_000_000]
        )
        return f"{house.settings.public_base_url}{CLIPS}/{token}"

    sound = Sound(
        voices=voice.say_voices,
        languages=voice.say_languages,
        max_recording_seconds=voice.max_recording_seconds,
    )
    prompts = Prompts(
        words=words_of_line(house),
        voiced=frozenset(voice.say_voices),
        clips=clip,
        stands_in=ANSWERED_IN,
    )
    return Line(
        renderer=lambda: Speech(sound, prompts),
        url=url,
        keys=voice.language_keys,
        emergency_numbers=house.country.emergency_numbers,
        part_characters=voice.part_characters,
    )


def clips_of(house: House) -> ClipFolder:
    """The operator's folder of clips."""
    folder = house.settings.voice.clips
    return ClipFolder(Path(folder) if folder else None)


def place_of(house: House, step: str) -> Place | None:
    """The place that the action URL carries, if we signed it for this step."""
    try:
        name, language, silences, tries, entry, repeats, part = _serializer(house, SALT).loads(
            request.args.get("at", "")
        )
        place = Place(Step(name), language, silences, tries, entry, repeats, part)
    except (BadData, ValueError, TypeError):
        return None
    return place if str(place.step) == step else None


def clip_file(token: str) -> Response:
    """Hand out one clip: to whoever has a URL that we signed, to be kept for a day."""
    house = current_house()
    try:
        language, name, *_ = _serializer(house, CLIP_SALT).loads(token)
    except (BadData, ValueError, TypeError):
        return Response(status=404)
    file = clips_of(house).find(str(language), str(name))
    if file is None:
        return Response(status=404)
    response = send_file(
        file.resolve(), mimetype=MEDIA_TYPES[file.suffix], max_age=CLIP_LIFE, conditional=True
    )
    response.headers["Cache-Control"] = f"public, max-age={CLIP_LIFE}, immutable"
    return response


def _serializer(house: House, salt: str) -> URLSafeSerializer:
    # itsdangerous signs with the last key of the list and reads with all of them.
    return URLSafeSerializer(list(reversed(house.settings.signing_keys)), salt=salt)
