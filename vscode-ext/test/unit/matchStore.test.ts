import { expect, test } from "vitest";
import { MatchStore } from "../../src/matchStore";
import type { MatchesParams } from "../../src/protocol";
import { match } from "./examples";

const URI = "file:///a.py";

function notification(version: number, nMatches = 1): MatchesParams {
  const matches = Array.from({ length: nMatches }, () => match());
  return { uri: URI, version, verdict: nMatches > 0 ? "found" : "none", reason: "", matches };
}

test("takes the matches of the document's version", () => {
  const store = new MatchStore();

  expect(store.accept(notification(3), 3)).toBe(true);
  expect(store.matches(URI)).toHaveLength(1);
});

test("refuses matches of a text that was edited since", () => {
  const store = new MatchStore();
  store.accept(notification(3, 2), 3);

  expect(store.accept(notification(4, 0), 5)).toBe(false);
  expect(store.matches(URI)).toHaveLength(2);
});

test("refuses an answer that was overtaken by a newer one", () => {
  const store = new MatchStore();
  store.accept(notification(5, 0), undefined);

  expect(store.accept(notification(4, 2), undefined)).toBe(false);
  expect(store.matches(URI)).toHaveLength(0);
});

test("a closed document starts anew, also with a lower version", () => {
  const store = new MatchStore();
  store.accept(notification(9), 9);
  store.forget(URI);

  expect(store.get(URI)).toBeUndefined();
  expect(store.accept(notification(1), 1)).toBe(true);
});

test("knows nothing after its server is gone", () => {
  const store = new MatchStore();
  store.accept(notification(1), 1);
  store.clear();

  expect(store.matches(URI)).toEqual([]);
});
