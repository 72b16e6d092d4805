// Keeps the overview's figures fresh. Without it the page shows those of when it was loaded.
"use strict";

const EVERY_MS = 5000;
const live = document.querySelector("[data-live]");

function inWords(value) {
  return value === null ? "–" : value.toLocaleString("en-US");
}

function moment(iso) {
  return iso ? iso.slice(0, 19).replace("T", " ") : "–";
}

function show(told) {
  for (const each of live.querySelectorAll("[data-figure]")) {
    each.textContent = inWords(told.counts[each.dataset.figure]);
  }
  for (const each of live.querySelectorAll("[data-lag]")) {
    each.textContent = told.lag ? inWords(told.lag[each.dataset.lag]) : "–";
  }
  for (const each of document.querySelectorAll("[data-moment]")) {
    each.textContent = moment(told[each.dataset.moment] ?? told.counts[each.dataset.moment]);
  }
  const away = live.querySelector("[data-kafka-away]");
  away.textContent = told.kafka_away;
  away.hidden = !told.kafka_away;
}

function say(text, stale) {
  document.querySelector("[data-state]").textContent = text;
  document.querySelector("[data-fresh]").classList.toggle("stale", stale);
}

async function refresh() {
  const answer = await fetch(live.dataset.live, { headers: { Accept: "application/json" } }).catch(() => null);
  if (answer?.status === 401) {
    location.reload();
  } else if (answer?.ok) {
    show(await answer.json());
    say("As of", false);
  } else {
    say("No answer now. These figures are as of", true);
  }
}

async function keepFresh() {
  if (!document.hidden) {
    await refresh();
  }
  setTimeout(keepFresh, EVERY_MS);
}

if (live) {
  setTimeout(keepFresh, EVERY_MS);
}
