import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { machine } from "../../src/machine";
import { installManaged } from "../../src/managed";
import { findServer } from "../../src/server";

// A starcite wheel as small as can be: the module, and nothing that would have to be downloaded.
const MAKE_WHEEL = `
import sys, zipfile
info = "starcite-0.1.0.dist-info"
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
    wheel.writestr("starcite.py", "")
    wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: starcite\\nVersion: 0.1.0\\n")
    wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr(f"{info}/RECORD", "")
`;
const TIMEOUT_MS = 120_000; // making an environment takes seconds, more on a busy machine

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "starcite managed "));
});
afterEach(() => rm(folder, { recursive: true }));

test("the bundled wheel is installed into an environment that the search then finds", { timeout: TIMEOUT_MS }, async () => {
  const wheel = join(folder, "starcite-0.1.0-py3-none-any.whl");
  execFileSync("python3", ["-c", MAKE_WHEEL, wheel]);
  const managedFolder = join(folder, "venv-0.1.0");
  const steps: string[] = [];

  await installManaged(managedFolder, wheel, (step) => steps.push(step), new AbortController().signal);

  const finding = await findServer(
    {
      settings: { command: [], python: "" },
      workspaceFolders: [],
      trusted: true,
      env: {},
      platform: process.platform,
      extensionVersion: "0.1.0",
      managedFolder,
    },
    machine,
  );
  expect(finding).toMatchObject({ kind: "found", how: "environment made by this extension" });
  expect(steps).toEqual(["looking for Python 3.11 or newer", "making an environment", "installing the language server"]);
});

test("what was begun is gone when it is cancelled", { timeout: TIMEOUT_MS }, async () => {
  const abort = new AbortController();
  const cancelAtOnce = (step: string): void => (step === "making an environment" ? abort.abort() : undefined);

  await expect(installManaged(join(folder, "venv"), "no.whl", cancelAtOnce, abort.signal)).rejects.toThrow("cancelled");

  expect(await readdir(folder)).toEqual([]);
});
