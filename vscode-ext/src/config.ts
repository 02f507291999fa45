// The only file that reads configuration.

import { workspace } from "vscode";

/** How the user wants the language server to be started. */
export interface ServerSettings {
  command: readonly string[]; // empty: not set
  python: string; // empty: not set
}

/** Reads `starcite.server.*`; VS Code leaves out what an untrusted workspace sets (package.json). */
export function serverSettings(): ServerSettings {
  const settings = workspace.getConfiguration("starcite.server");
  return {
    command: strings(settings.get<unknown>("command")),
    python: text(settings.get<unknown>("python")),
  };
}

/** Everything under `starcite` as the language server takes it, one object a section. */
export function languageServerSettings(): Record<string, unknown> {
  const settings = workspace.getConfiguration("starcite");
  return {
    completion: settings.get<unknown>("completion") ?? {},
    attribution: settings.get<unknown>("attribution") ?? {},
  };
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value.trim() : "";
}
