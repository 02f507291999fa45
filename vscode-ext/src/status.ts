// What the status bar says: a pure function of all that is known.

import { plural } from "./matches";
import type { StatusParams } from "./protocol";

/** Where the connection to the language server stands. */
export type Connection =
  | { phase: "starting" }
  | { phase: "running"; warning?: string } // the warning: versions that do not fit
  | { phase: "stopped" }
  | { phase: "failed"; reason: string; missing?: boolean }; // missing: no server was found

export interface StatusInput {
  connection: Connection;
  server: StatusParams | undefined; // what the server last said, if it has
  nMatches: number; // in the active editor
}

export type StatusKind = "loading" | "ready" | "working" | "matched" | "error";

export interface StatusView {
  kind: StatusKind;
  text: string;
  tooltip: string;
  command: "starcite.showMatches" | "starcite.showLog" | "starcite.restartServer";
}

/** Failures first, then what is going on, then what was found. */
export function statusView(input: StatusInput): StatusView {
  const { connection, server, nMatches } = input;
  if (connection.phase === "failed") {
    return view("error", "$(error) Starcite: error", connection.reason, "starcite.showLog");
  }
  if (connection.phase === "stopped") {
    const tooltip = "The language server is stopped. Click to start it.";
    return view("error", "$(circle-slash) Starcite: stopped", tooltip, "starcite.restartServer");
  }
  if (connection.phase === "starting" || server === undefined) {
    const tooltip = "The language server is starting.";
    return view("loading", "$(loading~spin) Starcite: loading", tooltip, "starcite.showLog");
  }
  return serverView(server, nMatches);
}

function serverView(server: StatusParams, nMatches: number): StatusView {
  const tooltip = `${modelLine(server.model)}\n${indexLine(server.index)}`;
  const { model, index } = server;
  if (model.state === "error" || index.state === "error") {
    return view("error", "$(error) Starcite: error", tooltip, "starcite.showLog");
  }
  if (model.state === "loading") {
    return view("loading", "$(loading~spin) Starcite: loading", tooltip, "starcite.showLog");
  }
  if (model.state === "working") {
    return view("working", "$(sync~spin) Starcite: working", tooltip, "starcite.showMatches");
  }
  if (nMatches > 0) {
    const text = `$(references) Starcite: ${plural(nMatches, "match")}`;
    const asked = `${plural(nMatches, "match")} in this file. Click to list them.\n${tooltip}`;
    return view("matched", text, asked, "starcite.showMatches");
  }
  if (index.state === "missing") {
    return view("error", "$(warning) Starcite: no index", tooltip, "starcite.showLog");
  }
  if (model.state === "missing") {
    return view("error", "$(warning) Starcite: no model", tooltip, "starcite.showLog");
  }
  return view("ready", "$(check) Starcite: ready", tooltip, "starcite.showMatches");
}

function modelLine(model: StatusParams["model"]): string {
  return line("Model", model.name, model.state, model.detail);
}

function indexLine(index: StatusParams["index"]): string {
  return line("Index", index.name, index.state, index.detail);
}

function line(what: string, name: string, state: string, detail: string): string {
  const suffix = detail === "" ? "" : ` (${detail})`;
  return `${what}: ${[name, state].filter((part) => part !== "").join(", ")}${suffix}`;
}

function view(
  kind: StatusKind,
  text: string,
  tooltip: string,
  command: StatusView["command"],
): StatusView {
  return { kind, text, tooltip, command };
}
