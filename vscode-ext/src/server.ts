// Finds the program that runs the language server: the order is the list STEPS, and whatever was
// tried is told. No vscode here: the machine is passed in, so that tests can give one.

import * as path from "node:path";
import type { ServerSettings } from "./config";
import { compatible, versionIn } from "./version";

/** Prints the version where starcite is installed, and fails where it is not. */
export const PYTHON_PROBE =
  "import importlib.metadata, starcite; print(importlib.metadata.version('starcite'))";

const SERVER_ARGS = ["lsp", "--stdio"];

export interface Launch {
  command: string;
  args: string[];
}

export interface Attempt {
  what: string;
  why: string; // why it was not taken
}

export type Finding =
  | { kind: "found"; launch: Launch; how: string }
  | { kind: "missing"; attempts: Attempt[] };

export interface RunResult {
  code: number | undefined; // undefined: could not be started, or took too long
  output: string;
  error: string;
}

/** What the search needs of the machine. */
export interface Machine {
  isProgram(file: string): Promise<boolean>;
  run(command: string, args: readonly string[]): Promise<RunResult>;
}

export interface Surroundings {
  settings: ServerSettings;
  workspaceFolders: readonly string[];
  trusted: boolean;
  env: Readonly<Record<string, string | undefined>>;
  platform: string; // as in process.platform
  extensionVersion: string;
  managedFolder: string; // the environment that the extension itself may have made
}

/** A step finds a server, or says what it tried; `final` ends the search, since the user chose. */
type Step = (around: Surroundings, machine: Machine) => Promise<StepResult>;
type StepResult =
  | { launch: Launch; how: string }
  | { attempts: Attempt[]; final?: boolean };

const STEPS: readonly Step[] = [
  fromCommandSetting,
  fromPythonSetting,
  fromEnvironments,
  fromPath,
  fromManagedEnvironment,
];

/** The first server of the documented order that answers its probe, or all that was tried. */
export async function findServer(around: Surroundings, machine: Machine): Promise<Finding> {
  const attempts: Attempt[] = [];
  for (const step of STEPS) {
    const result = await step(around, machine);
    if ("launch" in result) {
      return { kind: "found", ...result };
    }
    attempts.push(...result.attempts);
    if (result.final === true) {
      break;
    }
  }
  return { kind: "missing", attempts };
}

/** The error for people: everything that was tried, why each failed, and what to do next. */
export function missingServerText(attempts: readonly Attempt[], version: string): string {
  const tried = attempts.map(({ what, why }, i) => `  ${i + 1}. ${what}: ${why}`);
  return [
    "Starcite found no language server. Tried, in this order:",
    ...tried,
    `Next step: install it in an environment of its own (pip install "starcite==${version}") ` +
      "and set starcite.server.python to that environment's Python.",
  ].join("\n");
}

/** The Python program of a virtual environment. */
export function environmentPython(folder: string, platform: string): string {
  return platform === "win32"
    ? path.win32.join(folder, "Scripts", "python.exe")
    : path.posix.join(folder, "bin", "python");
}

/** The absolute path of a program on PATH; relative entries are skipped: they may be the workspace. */
export async function onPath(
  name: string,
  around: Pick<Surroundings, "env" | "platform">,
  machine: Machine,
): Promise<string | undefined> {
  const paths = around.platform === "win32" ? path.win32 : path.posix;
  const file = around.platform === "win32" && !/\.exe$/i.test(name) ? `${name}.exe` : name;
  const folders = (around.env["PATH"] ?? around.env["Path"] ?? "").split(paths.delimiter);
  for (const folder of folders.filter((entry) => paths.isAbsolute(entry))) {
    const candidate = paths.join(folder, file);
    if (await machine.isProgram(candidate)) {
      return candidate;
    }
  }
  return undefined;
}

async function fromCommandSetting(around: Surroundings, machine: Machine): Promise<StepResult> {
  const what = "setting starcite.server.command";
  const [program, ...args] = around.settings.command;
  if (program === undefined) {
    return { attempts: [{ what, why: "not set" }] };
  }
  const command = await resolved(program, around, machine);
  if (command === undefined) {
    return { attempts: [{ what, why: `${program} is not a program` }], final: true };
  }
  return { launch: { command, args }, how: what };
}

async function fromPythonSetting(around: Surroundings, machine: Machine): Promise<StepResult> {
  const what = "setting starcite.server.python";
  const { python } = around.settings;
  if (python === "") {
    return { attempts: [{ what, why: "not set" }] };
  }
  const command = await resolved(python, around, machine);
  if (command === undefined) {
    return { attempts: [{ what, why: `${python} is not a program` }], final: true };
  }
  const probed = await probePython(command, machine);
  return "why" in probed
    ? { attempts: [{ what, why: `${python} ${probed.why}` }], final: true }
    : { launch: pythonLaunch(command), how: what }; // an own choice: the handshake warns of a misfit
}

async function fromEnvironments(around: Surroundings, machine: Machine): Promise<StepResult> {
  const attempts: Attempt[] = [];
  const folders = around.workspaceFolders.map((folder) => path.join(folder, ".venv"));
  if (!around.trusted) {
    attempts.push({ what: ".venv of the workspace", why: "the workspace is not trusted" });
  } else if (folders.length === 0) {
    attempts.push({ what: ".venv of the workspace", why: "no folder is open" });
  }
  const active = around.env["VIRTUAL_ENV"] ?? "";
  if (active === "") {
    attempts.push({ what: "VIRTUAL_ENV", why: "not set" });
  }
  const candidates = [...(around.trusted ? folders : []), ...(active === "" ? [] : [active])];
  const result = await firstEnvironment(candidates, around, machine);
  return "launch" in result ? result : { attempts: [...attempts, ...result.attempts] };
}

async function firstEnvironment(
  folders: readonly string[],
  around: Surroundings,
  machine: Machine,
): Promise<StepResult> {
  const attempts: Attempt[] = [];
  for (const folder of folders) {
    const python = environmentPython(folder, around.platform);
    const why = await misfit(python, around, machine);
    if (why === undefined) {
      return { launch: pythonLaunch(python), how: python };
    }
    attempts.push({ what: python, why });
  }
  return { attempts };
}

async function fromPath(around: Surroundings, machine: Machine): Promise<StepResult> {
  const what = "starcite on PATH";
  const command = await onPath("starcite", around, machine);
  if (command === undefined) {
    return { attempts: [{ what, why: "not found" }] };
  }
  const result = await machine.run(command, ["--version"]);
  const version = result.code === 0 ? versionIn(result.output) : undefined;
  if (version === undefined) {
    return { attempts: [{ what, why: `${command} does not say its version: ${failure(result)}` }] };
  }
  return compatible(around.extensionVersion, version)
    ? { launch: { command, args: SERVER_ARGS }, how: command }
    : { attempts: [{ what, why: `${command} ${versionMisfit(version, around)}` }] };
}

async function fromManagedEnvironment(around: Surroundings, machine: Machine): Promise<StepResult> {
  const what = "environment made by this extension";
  const python = environmentPython(around.managedFolder, around.platform);
  const why = await misfit(python, around, machine);
  return why === undefined
    ? { launch: pythonLaunch(python), how: what }
    : { attempts: [{ what, why }] };
}

async function resolved(program: string, around: Surroundings, machine: Machine): Promise<string | undefined> {
  if (!path.isAbsolute(program) && /[\\/]/.test(program)) {
    return undefined; // relative to what? A workspace must not decide
  }
  if (!path.isAbsolute(program)) {
    return await onPath(program, around, machine);
  }
  return (await machine.isProgram(program)) ? program : undefined;
}

async function misfit(python: string, around: Surroundings, machine: Machine): Promise<string | undefined> {
  if (!(await machine.isProgram(python))) {
    return "not there";
  }
  const probed = await probePython(python, machine);
  if ("why" in probed) {
    return probed.why;
  }
  const fits = compatible(around.extensionVersion, probed.version);
  return fits ? undefined : versionMisfit(probed.version, around);
}

async function probePython(
  python: string,
  machine: Machine,
): Promise<{ version: string } | { why: string }> {
  const result = await machine.run(python, ["-c", PYTHON_PROBE]);
  const version = result.code === 0 ? versionIn(result.output) : undefined;
  return version === undefined
    ? { why: `cannot import starcite: ${failure(result)}` }
    : { version };
}

function pythonLaunch(python: string): Launch {
  return { command: python, args: ["-m", "starcite", ...SERVER_ARGS] };
}

function versionMisfit(version: string, around: Surroundings): string {
  return `has starcite ${version}, this extension is ${around.extensionVersion}`;
}

function failure(result: RunResult): string {
  const lines = result.error.trim().split(/\r?\n/);
  return lines.at(-1) || `exit code ${result.code ?? "none"}`;
}
