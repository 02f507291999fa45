// The item in the status bar: shows what status.ts decides.

import { StatusBarAlignment, ThemeColor, window, type Disposable, type StatusBarItem } from "vscode";
import type { StatusParams } from "./protocol";
import { statusView, type Connection, type StatusInput } from "./status";

export class StatusBar implements Disposable {
  private readonly item: StatusBarItem;
  private input: StatusInput = {
    connection: { phase: "starting" },
    server: undefined,
    nMatches: 0,
  };

  constructor() {
    this.item = window.createStatusBarItem("status", StatusBarAlignment.Right, 100);
    this.item.name = "Starcite";
    this.show();
    this.item.show();
  }

  setConnection(connection: Connection): void {
    const server = connection.phase === "running" ? this.input.server : undefined;
    this.input = { ...this.input, connection, server };
    this.show();
  }

  setServer(server: StatusParams): void {
    this.input = { ...this.input, server };
    this.show();
  }

  setMatches(nMatches: number): void {
    this.input = { ...this.input, nMatches };
    this.show();
  }

  dispose(): void {
    this.item.dispose();
  }

  private show(): void {
    const view = statusView(this.input);
    this.item.text = view.text;
    this.item.tooltip = view.tooltip;
    this.item.command = view.command;
    this.item.accessibilityInformation = { label: view.text.replace(/\$\([^)]*\) /, "") };
    this.item.backgroundColor =
      view.kind === "error" ? new ThemeColor("statusBarItem.warningBackground") : undefined;
  }
}
