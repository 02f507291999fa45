// Paste code, see its matches, and each source beside it. No library and no build step; whatever
// comes from outside is set as text, never as markup.
"use strict";

const TIERS = {
  E0: "the whole file",
  E1: "verbatim",
  E2: "equal but for whitespace and comments",
  E3: "equal but for renamed identifiers",
  E4: "aligned with edits",
  E5: "a lead, nothing is claimed",
};
const AROUND = 12; // lines of a source that are shown before and after the matched ones

const part = (id) => document.getElementById(id);
let traced = 0; // of two answers the one that was asked for last counts
let opened = 0; // likewise of two sources
let query = ""; // what was traced, however the field is edited meanwhile

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("the service cannot be reached; is it still running?");
  }
  const answer = await response.json().catch(() => ({ error: `status ${response.status}` }));
  if (!response.ok) throw new Error(answer.error ?? `status ${response.status}`);
  return answer;
}

function say(text, isBad = false) {
  part("verdict").className = isBad ? "bad" : "";
  part("verdict").replaceChildren(text);
}

function clear() {
  opened += 1;
  part("matches").replaceChildren();
  part("beside").hidden = true;
}

async function trace() {
  const number = ++traced;
  query = part("text").value;
  clear();
  if (!query.trim()) return say("Paste some code first.", true);
  part("trace").disabled = true;
  say("Looking …");
  try {
    const answer = await ask("/v1/trace", { text: query, language: part("language").value });
    if (number === traced) show(answer);
  } catch (error) {
    if (number === traced) say(`Could not look: ${error.message}`, true);
  } finally {
    if (number === traced) part("trace").disabled = false;
  }
}

function show(answer) {
  const [result] = answer.results;
  if (result.verdict === "unknown") return say(`Could not look: ${result.reason}`, true);
  const documents = `${answer.n_documents.toLocaleString("en")} documents`;
  if (result.verdict === "none") {
    return say(`No match: no shared run of ${answer.min_lexemes} or more lexemes in ${documents}.`);
  }
  const rare = result.matches.filter((match) => match.is_alarm).length;
  const common = result.matches.length - rare;
  const counted = [rare && plural(rare, "match", "matches"), common && `${common} common`];
  say(`${counted.filter(Boolean).join(", ")} in ${documents}, ${result.elapsed_ms.toFixed(0)} ms.`);
  part("matches").replaceChildren(...result.matches.map(card));
  part("beside").hidden = false;
  choose(result.matches, best(result.matches));
  part("matches").onclick = (event) => {
    const chosen = event.target.closest("button");
    if (chosen) choose(result.matches, Number(chosen.value));
  };
}

/** The index of the match to show first: the longest that is not common, else the longest. */
function best(matches) {
  const weight = (match) => (match.is_alarm ? 1e9 : 0) + match.n_lexemes;
  return matches.reduce((kept, match, at) => (weight(match) > weight(matches[kept]) ? at : kept), 0);
}

function card(match, at) {
  const origin = match.sources[0]?.origins[0];
  const tier = make("span", match.is_alarm ? "tier" : "tier common", match.tier);
  tier.title = TIERS[match.tier];
  const licences = [...new Set(match.sources.flatMap((one) => one.origins.map((each) => each.spdx_id)))];
  const more = match.n_packages > 1 ? ` and ${match.n_packages - 1} more` : "";
  const button = make(
    "button", "", tier,
    make("span", "name", origin ? `${origin.name} ${origin.version}${more}` : "no origin is listed"),
    make("span", "small", `lines ${lines(match.query)} · ${licences.join(", ") || "no licence"}`),
    make("span", "small", label(match)),
  );
  button.type = "button";
  button.value = String(at);
  return make("li", "", button);
}

function label(match) {
  const common = match.is_alarm ? "" : `, common: ${match.commonness}`;
  return `${TIERS[match.tier]} · ${match.n_lexemes.toLocaleString("en")} lexemes${common}`;
}

function choose(matches, at) {
  for (const button of part("matches").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(Number(button.value) === at));
  }
  const match = matches[at];
  const own = splitLines(query).map((text, number) => ({ number, text }));
  paint(part("query"), own, match.query);
  part("part").replaceChildren(make("dt", "", "Lines"), make("dd", "", `${lines(match.query)} of ${own.length}`));
  openSource(match, 0);
}

async function openSource(match, place) {
  const number = ++opened;
  const source = match.sources[place];
  part("about").replaceChildren(about(match, source, place));
  part("source").replaceChildren();
  const start = Math.max(0, source.span.start_line - AROUND);
  const end = source.span.end_line + AROUND;
  const wanted = new URLSearchParams({ sha256: source.document_sha256, start_line: start, end_line: end });
  try {
    const found = await ask(`/v1/documents/${source.document_id}?${wanted}`);
    if (number !== opened) return;
    const rows = splitLines(found.text).map((text, at) => ({ number: start + at, text }));
    paint(part("source"), rows, source.span);
  } catch (error) {
    if (number === opened) part("source").replaceChildren(make("p", "faint", `Could not look: ${error.message}`));
  }
}

function about(match, source, place) {
  const facts = make("dl", "");
  const add = (name, ...value) => facts.append(make("dt", "", name), make("dd", "", ...value));
  const origin = source.origins[0];
  const others = source.origins.length - 1;
  if (match.sources.length > 1) add("Held by", picker(match, place));
  add("Package", origin.name, " ", origin.version, others ? ` and ${plural(others, "more place", "more places")}` : "");
  add("File", `${origin.path}, lines ${lines(source.span)}`);
  add("Licence", origin.spdx_id, make("span", "faint", ` (${origin.license_evidence})`));
  add("Evidence", `${label(match)} · ${(100 * match.probability).toFixed(0)} % likely copied`);
  for (const conflict of match.conflicts) add("Conflict", `${conflict.kind} disagree: ${conflict.detail.join(", ")}`);
  if (match.renames.length) {
    add("Renamed", match.renames.slice(0, 8).map((one) => `${one.query} ← ${one.source}`).join(", "));
  }
  return facts;
}

function picker(match, place) {
  const select = make("select", "");
  select.setAttribute("aria-label", "Source");
  match.sources.forEach((source, at) => {
    const origin = source.origins[0];
    const option = make("option", "", `${origin.name} ${origin.version} ${origin.path}`);
    option.value = String(at);
    option.selected = at === place;
    select.append(option);
  });
  select.onchange = () => openSource(match, Number(select.value));
  const hidden = match.n_sources - match.sources.length;
  return hidden ? make("span", "", select, ` and ${plural(hidden, "file", "files")} not listed`) : select;
}

/** Rows of code with those of a span marked, the first of them in view. */
function paint(place, rows, span) {
  const painted = rows.map(({ number, text }) => {
    const isIn = number >= span.start_line && number < span.end_line;
    return make("div", isIn ? "row in" : "row",
      make("span", "number", String(number + 1)), make("span", "line", text));
  });
  place.replaceChildren(...painted);
  const first = place.querySelector(".in");
  place.scrollTop = first ? Math.max(0, first.offsetTop - place.offsetTop - 60) : 0;
}

/** The lines of a text without their breaks, as the service counts them. */
function splitLines(text) {
  const found = text.split(/\r\n|\r|\n/);
  if (found.length > 1 && found[found.length - 1] === "") found.pop();
  return found;
}

function lines(span) {
  const first = span.start_line + 1;
  return first === span.end_line ? String(first) : `${first}–${span.end_line}`;
}

function plural(n, one, many) {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}

part("form").addEventListener("submit", (event) => {
  event.preventDefault();
  trace();
});
part("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) trace();
});
ask("/v1/index").then(
  (found) => part("index").replaceChildren(
    `${found.n_documents.toLocaleString("en")} documents, corpus ${found.corpus_digest.slice(0, 12)}`),
  (error) => say(`Could not look: ${error.message}`, true),
);
