// Rules that hold across files, checked on their text.

import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import manifest from "../../package.json";

const SOURCES = new URL("../../src/", import.meta.url);
const sources = readdirSync(SOURCES).map((name): [string, string] => [
  name,
  readFileSync(new URL(name, SOURCES), "utf8").replace(/\/\/.*$|\/\*[^]*?\*\//gm, ""),
]);
const root = (name: string): string => readFileSync(new URL(`../../../${name}`, import.meta.url), "utf8");

function filesWith(pattern: RegExp): string[] {
  return sources.filter(([, text]) => pattern.test(text)).map(([name]) => name);
}

test("only config.ts reads configuration", () => {
  expect(filesWith(/\bgetConfiguration\b/)).toEqual(["config.ts"]);
});

test("only extension.ts touches the subscriptions of the context", () => {
  expect(filesWith(/\bcontext\.subscriptions\b/)).toEqual(["extension.ts"]);
});

test("no any, no non-null assertion, no silenced compiler", () => {
  expect(filesWith(/[:<|&]\s*any\b|\bas any\b|[\w)\]]!(?!=)|@ts-/)).toEqual([]);
});

test("logic does not import vscode, so that it is tested without an editor", () => {
  const logic = ["crashes", "machine", "managed", "matchStore", "matches", "protocol", "server", "sourceUri", "status", "version"];
  const withVscode = filesWith(/from "vscode/);

  expect(logic.filter((name) => withVscode.includes(`${name}.ts`))).toEqual([]);
  expect(withVscode).not.toHaveLength(0);
});

test("the extension is released with the server: same version, same licence", () => {
  expect(manifest.version).toBe(/^version = "(.*)"$/m.exec(root("pyproject.toml"))?.[1]);
  expect(readFileSync(new URL("../../LICENSE", import.meta.url), "utf8")).toBe(root("LICENSE"));
});

test("every command that is contributed is registered, and the other way round", () => {
  const registered = [...(sources.find(([name]) => name === "commands.ts")?.[1] ?? "").matchAll(/"(starcite\.\w+)":/g)];
  const contributed = manifest.contributes.commands.map(({ command }) => command);

  expect(registered.map((found) => found[1]).sort()).toEqual([...contributed].sort());
});
