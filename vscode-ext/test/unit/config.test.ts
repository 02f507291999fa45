import { expect, test } from "vitest";
import { languageServerSettings, serverSettings } from "../../src/config";
import { setConfiguration } from "./vscodeStub";

test("the server's command and interpreter are read", () => {
  setConfiguration({
    "starcite.server.command": ["/bin/s", "lsp"],
    "starcite.server.python": " /usr/bin/python3 ",
  });

  expect(serverSettings()).toEqual({ command: ["/bin/s", "lsp"], python: "/usr/bin/python3" });
});

test.each([undefined, null, "starcite lsp", 3, { 0: "x" }])("a command that is %j counts as not set", (command) => {
  setConfiguration({ "starcite.server.command": command });

  expect(serverSettings()).toEqual({ command: [], python: "" });
});

test("the language server gets its own two sections and not how it is started", () => {
  setConfiguration({
    "starcite.completion": { enabled: false },
    "starcite.attribution": { debounceMs: 10 },
    "starcite.server": { python: "python3" },
  });

  expect(languageServerSettings()).toEqual({ completion: { enabled: false }, attribution: { debounceMs: 10 } });
});
