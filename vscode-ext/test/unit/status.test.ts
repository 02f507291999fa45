import { describe, expect, test } from "vitest";
import { statusView, type Connection } from "../../src/status";
import { serverStatus } from "./examples";

const running: Connection = { phase: "running" };

function kindAndText(connection: Connection, server = serverStatus(), nMatches = 0): [string, string] {
  const { kind, text } = statusView({ connection, server, nMatches });
  return [kind, text.replace(/^\$\([^)]*\) /, "")];
}

test.each<[string, ReturnType<typeof serverStatus>, number, string, string]>([
  ["ready", serverStatus(), 0, "ready", "Starcite: ready"],
  ["the model loads", serverStatus("loading"), 0, "loading", "Starcite: loading"],
  ["the model loads, with matches", serverStatus("loading"), 2, "loading", "Starcite: loading"],
  ["the model works", serverStatus("working"), 2, "working", "Starcite: working"],
  ["one match", serverStatus(), 1, "matched", "Starcite: 1 match"],
  ["matches without a model", serverStatus("missing"), 3, "matched", "Starcite: 3 matches"],
  ["no model", serverStatus("missing"), 0, "error", "Starcite: no model"],
  ["no index", serverStatus("ready", "missing"), 0, "error", "Starcite: no index"],
  ["the model failed", serverStatus("error"), 2, "error", "Starcite: error"],
  ["the index is damaged", serverStatus("ready", "error"), 0, "error", "Starcite: error"],
])("%s", (_, server, nMatches, kind, text) => {
  expect(kindAndText(running, server, nMatches)).toEqual([kind, text]);
});

describe("the connection comes before what the server said", () => {
  test("a failure tells its reason and leads to the log", () => {
    const input = { connection: { phase: "failed", reason: "ENOENT" } as const, server: serverStatus(), nMatches: 1 };

    expect(statusView(input)).toMatchObject({ kind: "error", tooltip: "ENOENT", command: "starcite.showLog" });
  });

  test("a stopped server can be started by a click", () => {
    const input = { connection: { phase: "stopped" } as const, server: undefined, nMatches: 0 };

    expect(statusView(input)).toMatchObject({ kind: "error", command: "starcite.restartServer" });
  });

  test("a starting one is loading, and so is one that has said nothing yet", () => {
    expect(kindAndText({ phase: "starting" })[0]).toBe("loading");
    expect(statusView({ connection: running, server: undefined, nMatches: 0 }).kind).toBe("loading");
  });
});

test("the tooltip names model and index with what the server says of them", () => {
  const server = serverStatus("missing");
  server.model.detail = "run: starcite model fetch";

  expect(statusView({ connection: running, server, nMatches: 0 }).tooltip).toBe(
    "Model: smollm2-135m, missing (run: starcite model fetch)\nIndex: default, ready",
  );
});
