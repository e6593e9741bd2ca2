// SPDX-License-Identifier: MIT
// Fetches the moving parts of the simulator's page again. The page works without it, by its forms.
"use strict";

const PAUSE = 1500;
const seen = new Map();

function toBottom(part) {
  for (const screen of part.querySelectorAll("[data-bottom]")) {
    screen.scrollTop = screen.scrollHeight;
  }
}

async function refresh(part) {
  // Whoever is choosing a file or pressing a key must not have it pulled away.
  if (document.hidden || (part.contains(document.activeElement) && part.querySelector("input[type=file]"))) {
    return;
  }
  const answer = await fetch(part.dataset.live, { credentials: "same-origin", cache: "no-store" });
  if (!answer.ok) {
    return;
  }
  const html = await answer.text();
  if (seen.get(part) !== html) {
    seen.set(part, html);
    part.innerHTML = html; // our own server's, escaped there
    toBottom(part);
  }
}

for (const part of document.querySelectorAll("[data-live]")) {
  toBottom(part);
  const again = () => refresh(part).catch(() => undefined).finally(() => setTimeout(again, PAUSE));
  again();
}
