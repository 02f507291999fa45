// Stored sources as read-only documents beside the user's file, with the matched lines marked.

import {
  languages,
  Range,
  TextEditorRevealType,
  ThemeColor,
  Uri,
  ViewColumn,
  window,
  workspace,
  type Disposable,
  type TextDocument,
  type TextDocumentContentProvider,
  type TextEditor,
} from "vscode";
import type { SourceResult } from "./protocol";
import { documentIdOf, SOURCE_SCHEME, sourcePath } from "./sourceUri";

export class SourceView implements TextDocumentContentProvider, Disposable {
  private readonly texts = new Map<string, string>(); // of open documents, by uri
  private readonly lines = new Map<string, Range>(); // what is marked in each, by uri
  private readonly fetch: (documentId: number) => Promise<SourceResult>;
  private readonly subscriptions: Disposable[];
  private readonly type = window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: new ThemeColor("starcite.sourceBackground"),
    overviewRulerColor: new ThemeColor("starcite.matchRuler"),
  });

  constructor(fetch: (documentId: number) => Promise<SourceResult>) {
    this.fetch = fetch;
    this.subscriptions = [
      this.type,
      workspace.registerTextDocumentContentProvider(SOURCE_SCHEME, this),
      workspace.onDidCloseTextDocument((document) => this.forget(document.uri)),
      window.onDidChangeVisibleTextEditors((editors) => editors.forEach((editor) => this.mark(editor))),
    ];
  }

  /** Opens an indexed document beside, scrolled to the half-open 0-based lines, which are marked. */
  async open(documentId: number, startLine: number, endLine: number): Promise<void> {
    const source = await this.fetch(documentId);
    const path = sourcePath(documentId, source.origins[0]);
    const uri = Uri.from({ scheme: SOURCE_SCHEME, path });
    this.texts.set(uri.toString(), source.text);
    const document = await withLanguage(await workspace.openTextDocument(uri), source.languageId);
    const range = new Range(startLine, 0, Math.max(startLine, endLine - 1), 0);
    this.lines.set(uri.toString(), range);
    const editor = await window.showTextDocument(document, {
      viewColumn: columnOfSources() ?? ViewColumn.Beside,
      preserveFocus: true,
      preview: true,
      selection: new Range(range.start, range.start),
    });
    this.mark(editor);
    editor.revealRange(range, TextEditorRevealType.InCenterIfOutsideViewport);
  }

  /** The text for VS Code; asks the server where a tab was restored in a new window. */
  async provideTextDocumentContent(uri: Uri): Promise<string> {
    const known = this.texts.get(uri.toString());
    if (known !== undefined) {
      return known;
    }
    const documentId = documentIdOf(uri.path);
    if (documentId === undefined) {
      throw new Error(`${uri.path} is not the address of an indexed source`);
    }
    const source = await this.fetch(documentId);
    if (sourcePath(documentId, source.origins[0]) !== uri.path) {
      throw new Error(`the index has changed and holds ${uri.path} elsewhere; open it from a match again`);
    }
    return source.text;
  }

  dispose(): void {
    this.subscriptions.forEach((subscription) => subscription.dispose());
  }

  private mark(editor: TextEditor): void {
    const range = this.lines.get(editor.document.uri.toString());
    if (range !== undefined) {
      editor.setDecorations(this.type, [range]);
    }
  }

  private forget(uri: Uri): void {
    this.texts.delete(uri.toString());
    this.lines.delete(uri.toString());
  }
}

function columnOfSources(): ViewColumn | undefined {
  const editors = window.visibleTextEditors;
  return editors.find((editor) => editor.document.uri.scheme === SOURCE_SCHEME)?.viewColumn;
}

async function withLanguage(document: TextDocument, languageId: string): Promise<TextDocument> {
  if (document.languageId !== "plaintext" || languageId === "" || languageId === "plaintext") {
    return document;
  }
  const known = await languages.getLanguages();
  return known.includes(languageId)
    ? await languages.setTextDocumentLanguage(document, languageId)
    : document;
}
