import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { machine, run } from "../../src/machine";
import { bundledWheel } from "../../src/managed";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "starcite test ")); // a space in the path does no harm
});
afterAll(() => rm(folder, { recursive: true }));

test("a program is a file that can be run", async () => {
  const text = join(folder, "text");
  await writeFile(text, "", { mode: 0o644 });

  const answers = await Promise.all([process.execPath, text, folder, join(folder, "gone")].map(machine.isProgram));

  expect(answers).toEqual([true, false, false, false]);
});

test("a run gives exit code, output and error", async () => {
  const script = "console.log('out'); console.error('err'); process.exit(3)";

  expect(await machine.run(process.execPath, ["-e", script])).toEqual({ code: 3, output: "out\n", error: "err\n" });
});

test("a program that is not there is a result, not an exception", async () => {
  const result = await machine.run(join(folder, "gone"), []);

  expect(result.code).toBeUndefined();
  expect(result.error).toContain("ENOENT");
});

test("a program that never ends is given up", async () => {
  const result = await run(process.execPath, ["-e", "setInterval(() => {}, 1000)"], 200);

  expect(result).toEqual({ code: undefined, output: "", error: "no answer in 0.2 s" });
});

test("Python does not load modules from its working folder", async () => {
  const script = "console.log(process.env.PYTHONSAFEPATH, process.env.PYTHONUNBUFFERED)";

  expect((await machine.run(process.execPath, ["-e", script])).output).toBe("1 1\n");
});

test("the bundled wheel is found by its name, and no folder means none", async () => {
  expect(await bundledWheel(join(folder, "server"))).toBeUndefined();
  await writeFile(join(folder, "starcite-0.1.0-py3-none-any.whl"), "");

  expect(await bundledWheel(folder)).toBe(join(folder, "starcite-0.1.0-py3-none-any.whl"));
});
