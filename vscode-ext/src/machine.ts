// The real machine behind the search for a server: files and short-lived processes.

import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { homedir } from "node:os";
import type { Machine, RunResult } from "./server";

const PROBE_TIMEOUT_MS = 30_000;

/**
 * The environment for every Python that we start. PYTHONSAFEPATH keeps the working directory off
 * sys.path, so that a file named like one of our modules cannot be run in its place.
 */
export function pythonEnvironment(): Record<string, string | undefined> {
  return { ...process.env, PYTHONUNBUFFERED: "1", PYTHONSAFEPATH: "1" };
}

/** Programs start in the home folder: never in a workspace, whose files might shadow what they load. */
export function workingFolder(): string {
  return homedir();
}

export const machine: Machine = {
  async isProgram(file) {
    try {
      await access(file, constants.X_OK);
      return (await stat(file)).isFile();
    } catch {
      return false;
    }
  },
  run(command, args) {
    return run(command, args, PROBE_TIMEOUT_MS);
  },
};

/** Runs a program to its end; never rejects. */
export function run(
  command: string,
  args: readonly string[],
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<RunResult> {
  const options = {
    cwd: workingFolder(),
    env: pythonEnvironment(),
    timeout: timeoutMs,
    maxBuffer: 16 * 1024 * 1024, // pip is talkative
    windowsHide: true,
    ...(signal === undefined ? {} : { signal }),
  };
  return new Promise((resolve) => {
    execFile(command, [...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : undefined;
      const timedOut = error?.killed === true && signal?.aborted !== true;
      const reason = timedOut ? `no answer in ${timeoutMs / 1000} s` : (error?.message ?? "");
      resolve({ code, output: stdout, error: timedOut || stderr === "" ? reason : stderr });
    });
  });
}
