// The item in the status bar: shows what status.ts decides.

import { StatusBarAlignment, ThemeColor, window, type Disposable, type StatusBarItem } from "vscode";
import type { StatusParams } from "./protocol";
import { statusView, type Connection, type StatusInput, type StatusView } from "./status";

/** A model answers in less; a spinner for each key would only distract. */
const WORKING_DELAY_MS = 250;

export class StatusBar implements Disposable {
  private readonly item: StatusBarItem;
  private timer: NodeJS.Timeout | undefined;
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
    clearTimeout(this.timer);
    this.item.dispose();
  }

  private show(): void {
    const view = statusView(this.input);
    clearTimeout(this.timer);
    if (view.kind === "working") {
      this.timer = setTimeout(() => this.render(view), WORKING_DELAY_MS);
    } else {
      this.render(view);
    }
  }

  private render(view: StatusView): void {
    this.item.text = view.text;
    this.item.tooltip = view.tooltip;
    this.item.command = view.command;
    this.item.accessibilityInformation = { label: view.text.replace(/\$\([^)]*\) /, "") };
    this.item.backgroundColor =
      view.kind === "error" ? new ThemeColor("statusBarItem.warningBackground") : undefined;
  }
}
