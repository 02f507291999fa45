// What the palette, the menus, the status bar and links in hovers can run.

import { commands, ProgressLocation, window, type Disposable, type LogOutputChannel, type TextEditor } from "vscode";
import { DOCUMENT_SCHEMES, type StarciteClient } from "./client";
import { reasonOf } from "./log";
import { verdictWords } from "./matches";
import { pickMatch } from "./matchPicker";
import type { MatchStore } from "./matchStore";
import type { Range, TraceParams, TraceResult } from "./protocol";
import type { SourceView } from "./sourceView";

export interface CommandParts {
  client: StarciteClient;
  log: LogOutputChannel;
  sources: SourceView;
  store: MatchStore;
}

/** Registers the commands; whoever calls owns what comes back. */
export function registerCommands(parts: CommandParts): Disposable[] {
  const table: Record<string, (...args: unknown[]) => Promise<void>> = {
    "starcite.traceSelection": () => traceSelection(parts),
    "starcite.traceFile": () => traceFile(parts),
    "starcite.showMatches": () => showMatches(parts),
    "starcite.openSource": (...args) => openSource(parts, args),
    "starcite.restartServer": () => parts.client.restart(),
    "starcite.showLog": async () => parts.log.show(),
  };
  return Object.entries(table).map(([name, command]) =>
    commands.registerCommand(name, (...args: unknown[]) => guarded(parts.log, () => command(...args))),
  );
}

async function guarded(log: LogOutputChannel, command: () => Promise<void>): Promise<void> {
  try {
    await command();
  } catch (error) {
    log.error(reasonOf(error));
    if ((await window.showErrorMessage(`Starcite: ${reasonOf(error)}`, "Show Log")) !== undefined) {
      log.show();
    }
  }
}

async function traceSelection(parts: CommandParts): Promise<void> {
  const editor = traceableEditor();
  if (editor?.selection.isEmpty === true) {
    void window.showInformationMessage("Select the code that Starcite should trace, then run this again.");
    return;
  }
  if (editor !== undefined) {
    const { start, end } = editor.selection;
    const range = {
      start: { line: start.line, character: start.character },
      end: { line: end.line, character: end.character },
    };
    await trace(parts, editor, "the selection", range);
  }
}

async function traceFile(parts: CommandParts): Promise<void> {
  const editor = traceableEditor();
  if (editor !== undefined) {
    await trace(parts, editor, "this file");
  }
}

async function trace(parts: CommandParts, editor: TextEditor, what: string, range?: Range): Promise<void> {
  const uri = editor.document.uri.toString();
  const params: TraceParams = { textDocument: { uri }, ...(range === undefined ? {} : { range }) };
  const progress = { location: ProgressLocation.Window, title: `Starcite: tracing ${what}` };
  const result = await window.withProgress(progress, (_, token) => parts.client.trace(params, token));
  await show(result, what, editor, parts);
}

async function show(
  result: Pick<TraceResult, "verdict" | "reason" | "matches">,
  what: string,
  editor: TextEditor,
  parts: CommandParts,
): Promise<void> {
  const words = verdictWords(result, what);
  if (words === undefined) {
    await pickMatch(editor, result.matches, parts.sources);
  } else if (words.level === "info") {
    void window.showInformationMessage(words.text);
  } else {
    void window.showWarningMessage(words.text);
  }
}

async function showMatches(parts: CommandParts): Promise<void> {
  const editor = traceableEditor();
  if (editor === undefined) {
    return;
  }
  const known = parts.store.get(editor.document.uri.toString());
  if (known === undefined) {
    await traceFile(parts); // marks may be switched off, or not here yet
  } else {
    await show(known, "this file", editor, parts);
  }
}

async function openSource(parts: CommandParts, args: readonly unknown[]): Promise<void> {
  const [documentId, startLine, endLine] = args;
  if (![documentId, startLine, endLine].every(isCount)) {
    throw new Error("starcite.openSource takes a document id, a first line and the line after the last");
  }
  await parts.sources.open(Number(documentId), Number(startLine), Number(endLine));
}

function traceableEditor(): TextEditor | undefined {
  const editor = window.activeTextEditor;
  if (editor !== undefined && DOCUMENT_SCHEMES.includes(editor.document.uri.scheme)) {
    return editor;
  }
  void window.showInformationMessage("Starcite traces text files: open one and put the cursor in it.");
  return undefined;
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0;
}
