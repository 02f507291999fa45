// Marks on matched code. VS Code moves them along with edits until the server speaks again.

import {
  DecorationRangeBehavior,
  OverviewRulerLane,
  Range as EditorRange,
  ThemeColor,
  window,
  type Disposable,
  type TextEditor,
} from "vscode";
import { textRanges } from "./matches";
import type { MatchStore } from "./matchStore";
import type { Range } from "./protocol";

/** A range of the protocol as one of the editor. */
export function editorRange(range: Range): EditorRange {
  const { start, end } = range;
  return new EditorRange(start.line, start.character, end.line, end.character);
}

export class MatchMarks implements Disposable {
  private readonly underline = window.createTextEditorDecorationType({
    // The colour of contributes.colors, as the CSS variable that VS Code makes of it.
    textDecoration: "underline dotted 1px var(--vscode-starcite-matchUnderline)",
    rangeBehavior: DecorationRangeBehavior.ClosedClosed,
  });
  private readonly block = window.createTextEditorDecorationType({
    backgroundColor: new ThemeColor("starcite.matchBackground"),
    overviewRulerColor: new ThemeColor("starcite.matchRuler"),
    overviewRulerLane: OverviewRulerLane.Right,
    rangeBehavior: DecorationRangeBehavior.ClosedClosed,
  });
  private readonly store: MatchStore;
  private readonly subscription: Disposable;

  constructor(store: MatchStore) {
    this.store = store;
    this.subscription = window.onDidChangeVisibleTextEditors((editors) => {
      for (const editor of editors) {
        this.mark(editor);
      }
    });
  }

  /** Marks every visible editor of a document anew; without a uri, every visible editor. */
  refresh(uri?: string): void {
    for (const editor of window.visibleTextEditors) {
      if (uri === undefined || editor.document.uri.toString() === uri) {
        this.mark(editor);
      }
    }
  }

  dispose(): void {
    this.subscription.dispose();
    this.underline.dispose();
    this.block.dispose();
  }

  private mark(editor: TextEditor): void {
    const { document } = editor;
    const known = this.store.get(document.uri.toString());
    if (known !== undefined && known.version !== document.version) {
      return; // edited since: the marks have moved along, and the next notification is under way
    }
    const ranges = known?.matches.map((match) => match.range) ?? [];
    const lineText = (line: number): string => (line < document.lineCount ? document.lineAt(line).text : "");
    const texts = ranges.flatMap((range) => textRanges(range, lineText));
    editor.setDecorations(this.underline, texts.map(editorRange));
    editor.setDecorations(this.block, ranges.map(editorRange));
  }
}
