// Tells the server where the cursor rests, so that the model reads ahead of the next key.

import { window, type Disposable, type TextEditor } from "vscode";
import { DOCUMENT_SCHEMES, type StarciteClient } from "./client";

const REST_MS = 250; // longer than between two keys, shorter than a thought

/** Watches the active editor's cursor; owned by the extension. */
export class CursorRest implements Disposable {
  private readonly client: StarciteClient;
  private readonly listeners: Disposable[];
  private timer: NodeJS.Timeout | undefined;

  constructor(client: StarciteClient) {
    this.client = client;
    this.listeners = [
      window.onDidChangeTextEditorSelection(({ textEditor }) => this.moved(textEditor)),
      window.onDidChangeActiveTextEditor((editor) => this.moved(editor)),
    ];
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const listener of this.listeners) {
      listener.dispose();
    }
  }

  private moved(editor: TextEditor | undefined): void {
    clearTimeout(this.timer);
    if (editor !== undefined && DOCUMENT_SCHEMES.includes(editor.document.uri.scheme)) {
      this.timer = setTimeout(() => this.rest(editor), REST_MS);
    }
  }

  private rest(editor: TextEditor): void {
    if (editor === window.activeTextEditor && !editor.document.isClosed) {
      void this.client.sendCursor({
        textDocument: { uri: editor.document.uri.toString() },
        position: { line: editor.selection.active.line, character: editor.selection.active.character },
      });
    }
  }
}
