// Lists matches; the one that is chosen is selected in the file, and its source opens beside.

import { Selection, TextEditorRevealType, window, type QuickPickItem, type TextEditor } from "vscode";
import { editorRange } from "./decorations";
import { matchRows, plural, type MatchRow } from "./matches";
import type { Match } from "./protocol";
import type { SourceView } from "./sourceView";

interface RowItem extends QuickPickItem {
  row: MatchRow;
}

/** Shows the matches of an editor's document as a list, and opens what is chosen. */
export async function pickMatch(
  editor: TextEditor,
  matches: readonly Match[],
  sources: SourceView,
): Promise<void> {
  const items: RowItem[] = matchRows(matches).map((row) => ({ label: row.label, detail: row.detail, row }));
  const chosen = await window.showQuickPick(items, {
    title: `Starcite: ${plural(matches.length, "match")}`,
    placeHolder: "Open a source beside",
    matchOnDetail: true,
  });
  if (chosen === undefined) {
    return;
  }
  const { match, source } = chosen.row;
  const range = editorRange(match.range);
  editor.selection = new Selection(range.start, range.end);
  editor.revealRange(range, TextEditorRevealType.InCenterIfOutsideViewport);
  const { start, end } = source.range;
  const endLine = end.character === 0 && end.line > start.line ? end.line : end.line + 1;
  await sources.open(source.documentId, start.line, endLine);
}
