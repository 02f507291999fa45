// Wires the parts together, and owns them: the only file that touches context.subscriptions.

import { commands, Uri, window, workspace, type Disposable, type ExtensionContext } from "vscode";
import { StarciteClient } from "./client";
import { registerCommands } from "./commands";
import { serverSettings } from "./config";
import { CursorRest } from "./cursorRest";
import { MatchMarks } from "./decorations";
import { offerInstall } from "./install";
import { createLog, reasonOf } from "./log";
import { machine } from "./machine";
import { bundledWheel } from "./managed";
import { MatchStore } from "./matchStore";
import { findServer, type Finding } from "./server";
import { SourceView } from "./sourceView";
import type { Connection } from "./status";
import { StatusBar } from "./statusBar";

let running: StarciteClient | undefined;

/** Called by VS Code once the window is up; returns before the server is. */
export function activate(context: ExtensionContext): void {
  const log = createLog();
  const version = versionOf(context);
  const client = new StarciteClient(log, version, () => search(context, version));
  const store = new MatchStore();
  const marks = new MatchMarks(store);
  const statusBar = new StatusBar();
  const sources = new SourceView((documentId) => client.source(documentId));
  running = client;
  context.subscriptions.push(
    log,
    client,
    marks,
    statusBar,
    sources,
    new CursorRest(client),
    ...registerCommands({ client, log, sources, store }),
    ...connectMatches(client, store, marks, statusBar),
    client.onStatus((status) => statusBar.setServer(status)),
    client.onConnection((connection) => {
      statusBar.setConnection(connection);
      if (connection.phase !== "running") {
        store.clear();
        marks.refresh();
        statusBar.setMatches(0);
      }
      void tell(connection, context, client);
    }),
    workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("starcite.server")) {
        void client.restart();
      } else if (event.affectsConfiguration("starcite")) {
        void client.sendSettings();
      }
    }),
    workspace.onDidGrantWorkspaceTrust(() => void client.restart()),
  );
  void client.restart();
}

/** Called by VS Code when the window closes: the server is gone when this resolves. */
export async function deactivate(): Promise<void> {
  await running?.stop();
  running = undefined;
}

function connectMatches(
  client: StarciteClient,
  store: MatchStore,
  marks: MatchMarks,
  statusBar: StatusBar,
): Disposable[] {
  const count = (): void => {
    const uri = window.activeTextEditor?.document.uri.toString();
    statusBar.setMatches(uri === undefined ? 0 : store.matches(uri).length);
  };
  return [
    client.onMatches((params) => {
      const uri = Uri.parse(params.uri).toString(); // as VS Code spells it
      const document = workspace.textDocuments.find((open) => open.uri.toString() === uri);
      if (document !== undefined && store.accept({ ...params, uri }, document.version)) {
        marks.refresh(uri);
        count();
      }
    }),
    window.onDidChangeActiveTextEditor(count),
    workspace.onDidCloseTextDocument((document) => {
      store.forget(document.uri.toString());
      count();
    }),
  ];
}

function search(context: ExtensionContext, version: string): Promise<Finding> {
  const surroundings = {
    settings: serverSettings(),
    workspaceFolders: (workspace.workspaceFolders ?? [])
      .filter((folder) => folder.uri.scheme === "file")
      .map((folder) => folder.uri.fsPath),
    trusted: workspace.isTrusted,
    env: process.env,
    platform: process.platform,
    extensionVersion: version,
    managedFolder: managedFolder(context, version),
  };
  return findServer(surroundings, machine);
}

async function tell(connection: Connection, context: ExtensionContext, client: StarciteClient): Promise<void> {
  if (connection.phase === "running" && connection.warning !== undefined) {
    void window.showWarningMessage(connection.warning);
  }
  if (connection.phase !== "failed") {
    return;
  }
  const wheel = await bundledWheel(Uri.joinPath(context.extensionUri, "server").fsPath);
  const settings = serverSettings();
  if (wheel !== undefined && connection.missing === true && settings.command.length === 0 && settings.python === "") {
    await install(context, wheel, client);
    return;
  }
  await showFailure(connection.reason);
}

async function install(context: ExtensionContext, wheel: string, client: StarciteClient): Promise<void> {
  try {
    if (await offerInstall(managedFolder(context, versionOf(context)), wheel)) {
      await client.restart();
    }
  } catch (error) {
    await showFailure(`Starcite's language server could not be installed: ${reasonOf(error)}`);
  }
}

async function showFailure(reason: string): Promise<void> {
  const choice = await window.showErrorMessage(reason, "Show Log", "Open Settings");
  if (choice === "Show Log") {
    await commands.executeCommand("starcite.showLog");
  } else if (choice === "Open Settings") {
    await commands.executeCommand("workbench.action.openSettings", "starcite.server");
  }
}

function managedFolder(context: ExtensionContext, version: string): string {
  return Uri.joinPath(context.globalStorageUri, `venv-${version}`).fsPath;
}

function versionOf(context: ExtensionContext): string {
  const manifest: unknown = context.extension.packageJSON;
  const version = typeof manifest === "object" && manifest !== null && "version" in manifest ? manifest.version : "";
  return String(version);
}
