// The extension's log. Source text, file paths and keys never above debug level.

import { window, type LogOutputChannel } from "vscode";

/** The channel "Starcite" in the Output view; the server's own log lines go there too. */
export function createLog(): LogOutputChannel {
  return window.createOutputChannel("Starcite", { log: true });
}

/** A readable line for anything that was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
