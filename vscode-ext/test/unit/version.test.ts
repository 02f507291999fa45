import { expect, test } from "vitest";
import { compatible, versionIn, versionWarning } from "../../src/version";

test.each([
  ["0.1.0", "0.1.0", true],
  ["0.1.0", "0.1.7.dev3", true],
  ["0.1.0", "0.2.0", false],
  ["0.1.0", "0.10.0", false],
  ["1.1.0", "0.1.0", false],
  ["0.1.0", "unknown", false],
  ["", "", false],
])("extension %s and server %s: compatible is %s", (extension, server, expected) => {
  expect(compatible(extension, server)).toBe(expected);
});

test("versions that fit need no warning", () => {
  expect(versionWarning("0.1.0", "0.1.2")).toBeUndefined();
});

test("the warning names both versions and the next step", () => {
  expect(versionWarning("0.1.0", "0.2.0")).toBe(
    `Starcite's language server is version 0.2.0, this extension is 0.1.0. Install matching versions: pip install "starcite==0.1.0".`,
  );
});

test("a server that does not say its version is warned of", () => {
  expect(versionWarning("0.1.0", undefined)).toContain("does not say its version");
});

test.each([
  ["starcite, version 0.1.0\n", "0.1.0"],
  ["0.1.0.dev1+local", "0.1.0.dev1+local"],
  ["Python", undefined],
])("in %j the version is %s", (output, expected) => {
  expect(versionIn(output)).toBe(expected);
});
