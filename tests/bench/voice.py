# SPDX-License-Identifier: MIT
"""``make bench-voice``: how well and how dearly recordings are written down.

Human telephone speech in French (8 kHz): Debian's ``asterisk-core-sounds-fr`` holds the texts,
``asterisk-core-sounds-fr-wav`` the sound; both are read where they are installed. Every clip of
five words or more is transcribed alone, and a hundred of them, drawn by a fixed seed, are told
beside: a draw has a standard deviation of a whole point. The bare engine does the hundred with the
same options in the same run; the two take turns at going first. Then webhooks of calls, ten a
second, with and without two workers that transcribe. Exit status 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
import random
import re
import resource
import sys
import tempfile
import time
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from voice_webhooks import Latencies, latencies
from word_errors import word_errors

SOUNDS = Path("/usr/share/asterisk/sounds/fr_CA_f_June")
TEXTS = Path("/usr/share/doc/asterisk-core-sounds-fr/core-sounds-fr.txt.gz")
#: Words that are in no dictionary: slips in the published texts, and what is spoken there.
SLIPS = Path(__file__).parent / "voice_slips.toml"
#: A line break is missing once: the next clip's name stands behind a full stop.
TWO_IN_A_LINE = re.compile(r"(?<=\.)(?=[a-z]+(?:-[a-z]+)+: )")
#: After these words French has the infinitive alone, which sounds like the form in -ez that the
#: published texts often write ("veuillez composez"): nobody can hear which of them was meant.
INFINITIVE = re.compile(r"\b(veuillez|pouvez|pour) (\w+)ez\b", re.IGNORECASE)
SEED, CLIPS, FEWEST_WORDS = 2026, 100, 5
WER, COST, MEMORY_MB, RATIO, P99_SECONDS = 0.12, 1.15, 900, 3.0, 1.0
AT_WORK = 0.95


def texts(*, as_published: bool = False) -> dict[str, str]:
    """Clip → its text, slips of the pen corrected unless they are asked for ``as_published``."""
    slips = tomllib.loads(SLIPS.read_text(encoding="utf-8"))["words"]
    found = {}
    with gzip.open(TEXTS, "rt", encoding="utf-8") as lines:
        for line in lines:
            name, colon, text = line.strip().partition(": ")
            text = TWO_IN_A_LINE.split(text)[0]
            if colon and not name.startswith(";") and "[" not in text:
                if not as_published:
                    text = re.sub(r"\w+", lambda w: slips.get(w[0].lower(), w[0]), text)
                    text = INFINITIVE.sub(r"\1 \2er", text)
                found[name] = text
    return found


def spoken() -> dict[str, str]:
    """Clip → text of every clip of five words or more."""
    return {
        name: text
        for name, text in sorted(texts().items())
        if len(text.split()) >= FEWEST_WORDS and (SOUNDS / f"{name}.wav").is_file()
    }


def drawn(seed: int) -> dict[str, str]:
    """A hundred of them."""
    found = spoken()
    return {name: found[name] for name in sorted(random.Random(seed).sample(list(found), CLIPS))}


def transcriptions(options: argparse.Namespace) -> dict[str, Any]:
    """WER, cost beside the bare engine, memory of this process."""
    os.environ["OMP_NUM_THREADS"] = "1"
    import soundfile
    import soxr

    from channels.voice.whisper import RATE, WhisperTranscriber, load_bare
    from channels.voice.whisper_parts import joined
    from config.voice import Voice
    from gateway.listening import decoding_of

    with tempfile.TemporaryDirectory() as models:
        folder = joined(Path(models))
        ours = WhisperTranscriber(lambda: folder, decoding_of(Voice()))
        hundred = dict(list(drawn(options.seed).items())[: options.clips or CLIPS])
        clips = hundred if options.clips else spoken()
        contents = {name: (SOUNDS / f"{name}.wav").read_bytes() for name in clips}
        ours.transcribe(next(iter(contents.values())), "fr")
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        bare = load_bare(folder)
        published = texts(as_published=True)
        errors = words = errors_as_published = errors_drawn = words_drawn = 0
        seconds = spent_ours = spent_bare = 0.0
        for number, (name, content) in enumerate(contents.items()):
            samples, rate = soundfile.read(io.BytesIO(content), dtype="float32")
            length = len(samples) / rate
            beside = name in hundred

            def by_bare(samples: Any = samples, rate: int = rate, length: float = length) -> None:
                sound = soxr.resample(samples, rate, RATE)
                told, _ = bare.transcribe(sound, language="fr", **ours.options("fr", length))
                list(told)

            if beside and number % 2:
                spent_bare += cpu(by_bare)[0]
            spent, heard = cpu(lambda content=content: ours.transcribe(content, "fr"))
            if beside and not number % 2:
                spent_bare += cpu(by_bare)[0]
            missed, said = word_errors(clips[name], heard.text)
            errors, words = errors + missed, words + said
            if beside:
                seconds, spent_ours = seconds + length, spent_ours + spent
                errors_drawn, words_drawn = errors_drawn + missed, words_drawn + said
            errors_as_published += word_errors(published[name], heard.text)[0]
            if options.show and missed:
                print(f"{missed:3} {name}: {clips[name]} | {heard.text}", file=sys.stderr)
    return {
        "clips": len(clips),
        "words": words,
        "wer": errors / words,
        "wer_drawn": errors_drawn / words_drawn,
        "wer_as_published": errors_as_published / words,
        "cpu_per_second": spent_ours / seconds,
        "cpu_per_second_bare": spent_bare / seconds,
        "cost": spent_ours / spent_bare,
        "memory_mb": memory,
    }


def cpu(work: Any) -> tuple[float, Any]:
    """CPU seconds of a piece of work, and its result."""
    before = time.process_time()
    result = work()
    return time.process_time() - before, result


def main() -> int:
    """Run; 0 when every bar holds, or when the speech is not installed (which is told)."""
    parser = argparse.ArgumentParser(description=__doc__, epilog='make bench-voice ARGS="--show"')
    parser.add_argument("--clips", type=int, default=0, help="so many of the drawn alone (0: all)")
    parser.add_argument("--seed", type=int, default=SEED, help="of the draw (2026)")
    parser.add_argument("--seconds", type=float, default=20.0, help="of webhooks, each way (20)")
    parser.add_argument("--show", action="store_true", help="tell what was misheard")
    parser.add_argument("--only", choices=["speech", "webhooks"], help="one half")
    options = parser.parse_args()
    if not (TEXTS.is_file() and SOUNDS.is_dir()):
        print("not run: no speech here (Debian: apt install asterisk-core-sounds-fr{,-wav})")
        return 0
    told: dict[str, Any] = {"schema": 1}
    kept = []
    if options.only != "webhooks":
        told |= transcriptions(options)
        if not options.clips:  # so few say nothing
            drawn_too = f"WER of {CLIPS} drawn by seed {options.seed}"
            kept += [bar("WER", told["wer"], WER), bar(drawn_too, told["wer_drawn"], WER)]
        kept += [
            bar("cost beside the bare engine", told["cost"], COST),
            bar("memory, MB", told["memory_mb"], MEMORY_MB),
        ]
        print(
            f"CPU seconds per second of speech: {told['cpu_per_second']:.3f} "
            f"(bare {told['cpu_per_second_bare']:.3f})\n"
            f"WER of {told['clips']} clips, {told['words']} words: {told['wer']:.4f}, against the "
            f"texts as published {told['wer_as_published']:.4f}; of those drawn by seed "
            f"{options.seed}: {told['wer_drawn']:.4f}"
        )
    if options.only != "speech":
        found: Latencies = latencies(options.seconds, [long_recording()])
        told |= asdict(found)
        kept += [
            bar("p99 of a webhook beside two transcriptions, s", found.beside, P99_SECONDS),
            bar("the same beside p99 without", found.beside / found.alone, RATIO),
        ]
        kept.append(at_least("share of the time in which both transcribe", found.at_work, AT_WORK))
        print(
            f"p99 without: {found.alone:.3f} s; the two had {found.cpu_share:.2f} processors "
            f"and finished {found.transcribed} recordings; load {os.getloadavg()[0]:.1f}"
        )
    print(json.dumps(told))
    return int(not all(kept))


def long_recording() -> bytes:
    """Four minutes of speech: both workers are met in the middle, all the while."""
    import numpy as np
    import soundfile

    samples, rate = soundfile.read(SOUNDS / "demo-congrats.wav")
    told = io.BytesIO()
    soundfile.write(told, np.tile(samples, 8), rate, format="WAV", subtype="PCM_16")
    return told.getvalue()


def at_least(what: str, found: float, least: float) -> bool:
    """Tell what makes a measurement count, and whether it does."""
    print(f"{'kept  ' if found >= least else 'MISSED'} {what}: {found:.3f} (at least {least:g})")
    return found >= least


def bar(what: str, found: float, most: float) -> bool:
    """Tell one bar, and whether it holds."""
    print(f"{'kept  ' if found <= most else 'MISSED'} {what}: {found:.3f} (at most {most:g})")
    return found <= most


if __name__ == "__main__":
    sys.exit(main())
