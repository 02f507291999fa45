import { describe, expect, test } from "vitest";
import { findServer, missingServerText, onPath, PYTHON_PROBE, type Machine, type RunResult, type Surroundings } from "../../src/server";

/** A machine that holds these programs; each answers its probe as given. */
function machineWith(programs: Record<string, Partial<RunResult>>): Machine & { runs: string[] } {
  const runs: string[] = [];
  return {
    runs,
    isProgram: async (file) => file in programs,
    run: async (command, args) => {
      runs.push([command, ...args].join(" "));
      return { code: 0, output: "0.1.0\n", error: "", ...programs[command] };
    },
  };
}

function around(changes: Partial<Surroundings> = {}): Surroundings {
  return {
    settings: { command: [], python: "" },
    workspaceFolders: ["/w"],
    trusted: true,
    env: { PATH: "/usr/bin:/bin" },
    platform: "linux",
    extensionVersion: "0.1.0",
    managedFolder: "/g/venv-0.1.0",
    ...changes,
  };
}

const everything = {
  "/s/starcite-server": {},
  "/s/python": {},
  "/w/.venv/bin/python": {},
  "/v/bin/python": {},
  "/usr/bin/starcite": { output: "starcite, version 0.1.0\n" },
  "/g/venv-0.1.0/bin/python": {},
};
const PYTHON_ARGS = ["-m", "starcite", "lsp", "--stdio"];

describe("the documented order", () => {
  const settings = { command: ["/s/starcite-server", "--flag"], python: "/s/python" };
  const env = { PATH: "/usr/bin:/bin", VIRTUAL_ENV: "/v" };

  test.each<[string, Partial<Surroundings>, readonly string[], { command: string; args: string[] }]>([
    ["1. the command, verbatim", { settings, env }, [], { command: "/s/starcite-server", args: ["--flag"] }],
    ["2. the interpreter", { settings: { ...settings, command: [] }, env }, [], { command: "/s/python", args: PYTHON_ARGS }],
    ["3. the workspace's .venv", { env }, [], { command: "/w/.venv/bin/python", args: PYTHON_ARGS }],
    ["3. VIRTUAL_ENV", { env }, ["/w/.venv/bin/python"], { command: "/v/bin/python", args: PYTHON_ARGS }],
    ["4. starcite on PATH", {}, ["/w/.venv/bin/python"], { command: "/usr/bin/starcite", args: ["lsp", "--stdio"] }],
    [
      "5. the extension's own environment",
      {},
      ["/w/.venv/bin/python", "/usr/bin/starcite"],
      { command: "/g/venv-0.1.0/bin/python", args: PYTHON_ARGS },
    ],
  ])("%s", async (_, changes, absent, launch) => {
    const programs = Object.fromEntries(Object.entries(everything).filter(([name]) => !absent.includes(name)));

    const finding = await findServer(around(changes), machineWith(programs));

    expect(finding).toMatchObject({ kind: "found", launch });
  });
});

describe("what the user has set is final", () => {
  test("a command that is no program does not lead to another server", async () => {
    const settings = { command: ["/gone", "lsp"], python: "/s/python" };

    const finding = await findServer(around({ settings }), machineWith(everything));

    expect(finding).toEqual({
      kind: "missing",
      attempts: [{ what: "setting starcite.server.command", why: "/gone is not a program" }],
    });
  });

  test("an interpreter without starcite does not lead to another server", async () => {
    const settings = { command: [], python: "/s/python" };
    const machine = machineWith({
      ...everything,
      "/s/python": { code: 1, error: "Traceback …\nModuleNotFoundError: No module named 'starcite'\n" },
    });

    expect(await findServer(around({ settings }), machine)).toEqual({
      kind: "missing",
      attempts: [
        { what: "setting starcite.server.command", why: "not set" },
        {
          what: "setting starcite.server.python",
          why: "/s/python cannot import starcite: ModuleNotFoundError: No module named 'starcite'",
        },
      ],
    });
  });

  test("an interpreter with another version is taken: the handshake warns", async () => {
    const settings = { command: [], python: "/s/python" };
    const machine = machineWith({ "/s/python": { output: "0.9.0" } });

    expect(await findServer(around({ settings }), machine)).toMatchObject({ kind: "found" });
  });

  test("a bare name is looked up on PATH", async () => {
    const settings = { command: ["starcite", "lsp", "--stdio"], python: "" };

    expect(await findServer(around({ settings }), machineWith(everything))).toMatchObject({
      launch: { command: "/usr/bin/starcite", args: ["lsp", "--stdio"] },
    });
  });

  test("a relative path is refused: a workspace must not decide what it means", async () => {
    const settings = { command: ["./server"], python: "" };
    const machine = machineWith({ "./server": {}, "/usr/bin/./server": {} });

    expect(await findServer(around({ settings }), machine)).toMatchObject({ kind: "missing" });
  });
});

describe("what is merely found must fit", () => {
  test("another version is passed over, and the message says so", async () => {
    const machine = machineWith({
      "/w/.venv/bin/python": { output: "0.2.0\n" },
      "/usr/bin/starcite": { output: "starcite, version 0.3.1\n" },
    });

    const finding = await findServer(around(), machine);

    expect(finding).toMatchObject({ kind: "missing" });
    expect(finding.kind === "missing" && finding.attempts).toEqual([
      { what: "setting starcite.server.command", why: "not set" },
      { what: "setting starcite.server.python", why: "not set" },
      { what: "VIRTUAL_ENV", why: "not set" },
      { what: "/w/.venv/bin/python", why: "has starcite 0.2.0, this extension is 0.1.0" },
      { what: "starcite on PATH", why: "/usr/bin/starcite has starcite 0.3.1, this extension is 0.1.0" },
      { what: "environment made by this extension", why: "not there" },
    ]);
  });

  test("nothing in a workspace that is not trusted is run", async () => {
    const machine = machineWith(everything);

    const finding = await findServer(around({ trusted: false }), machine);

    expect(finding).toMatchObject({ launch: { command: "/usr/bin/starcite" } });
    expect(machine.runs).toEqual(["/usr/bin/starcite --version"]);
  });

  test("the probe of an interpreter imports starcite", async () => {
    const machine = machineWith(everything);

    await findServer(around(), machine);

    expect(machine.runs).toEqual([`/w/.venv/bin/python -c ${PYTHON_PROBE}`]);
  });
});

describe("PATH", () => {
  test("relative entries are skipped", async () => {
    const machine = machineWith({ "bin/starcite": {}, "/b/starcite": {} });

    expect(await onPath("starcite", { env: { PATH: ".:bin::/b" }, platform: "linux" }, machine)).toBe("/b/starcite");
  });

  test("Windows spells it Path and programs end in .exe", async () => {
    const machine = machineWith({ "C:\\bin\\starcite.exe": {} });

    const found = await onPath("starcite", { env: { Path: "C:\\x;C:\\bin" }, platform: "win32" }, machine);

    expect(found).toBe("C:\\bin\\starcite.exe");
  });
});

test("the error lists everything that was tried, why each failed, and the next step", () => {
  const attempts = [
    { what: "setting starcite.server.python", why: "not set" },
    { what: "starcite on PATH", why: "not found" },
  ];

  expect(missingServerText(attempts, "0.1.0")).toBe(
    [
      "Starcite found no language server. Tried, in this order:",
      "  1. setting starcite.server.python: not set",
      "  2. starcite on PATH: not found",
      'Next step: install it in an environment of its own (pip install "starcite==0.1.0") and set starcite.server.python to that environment\'s Python.',
    ].join("\n"),
  );
});
