// The environment that the extension makes, with the user's consent, from the wheel it carries.

import { readdir, rm } from "node:fs/promises";
import * as path from "node:path";
import { machine, run } from "./machine";
import { environmentPython, onPath } from "./server";

const INSTALL_TIMEOUT_MS = 20 * 60_000;
const BASE_PYTHONS = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python"];
const NEW_ENOUGH = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";

/** The starcite wheel in a folder, or undefined if none lies there. */
export async function bundledWheel(folder: string): Promise<string | undefined> {
  const names = await readdir(folder).catch(() => []);
  const name = names.find((entry) => /^starcite-.*\.whl$/.test(entry));
  return name === undefined ? undefined : path.join(folder, name);
}

/**
 * Makes the environment in `folder` and installs the wheel with its dependencies.
 *
 * @throws Error that says which step failed; then the folder is gone again.
 */
export async function installManaged(
  folder: string,
  wheel: string,
  report: (step: string) => void,
  signal: AbortSignal,
): Promise<void> {
  report("looking for Python 3.11 or newer");
  const base = await basePython();
  try {
    report("making an environment");
    await must(base, ["-m", "venv", "--clear", folder], signal);
    report("installing the language server");
    const python = environmentPython(folder, process.platform);
    await must(python, ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", wheel], signal);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function basePython(): Promise<string> {
  for (const name of BASE_PYTHONS) {
    const python = await onPath(name, { env: process.env, platform: process.platform }, machine);
    if (python !== undefined && (await machine.run(python, ["-c", NEW_ENOUGH])).code === 0) {
      return python;
    }
  }
  throw new Error(
    "no Python 3.11 or newer with venv and pip is on PATH; install one (Debian: apt install python3-venv)",
  );
}

async function must(command: string, args: readonly string[], signal: AbortSignal): Promise<void> {
  const result = await run(command, args, INSTALL_TIMEOUT_MS, signal);
  if (signal.aborted) {
    throw new Error("cancelled");
  }
  if (result.code !== 0) {
    const reason = result.error.trim().split(/\r?\n/).slice(-3).join(" ");
    throw new Error(`${path.basename(command)} ${args.slice(0, 3).join(" ")} failed: ${reason}`);
  }
}
