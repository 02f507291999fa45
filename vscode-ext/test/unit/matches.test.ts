import { describe, expect, test } from "vitest";
import { countLines, lineSpan, matchDetail, matchLabel, matchRows, plural, textRanges, verdictWords } from "../../src/matches";
import { match, origin, sourceSpan } from "./examples";

describe("matchLabel", () => {
  test("names tier, package, path with 1-based lines, licence and number of lines", () => {
    expect(matchLabel(match(), sourceSpan())).toBe(
      "E1 verbatim · requests 2.32.3 · requests/models.py:10–40 · Apache-2.0 · 31 lines",
    );
  });

  test("says so where the licence is not known", () => {
    const source = sourceSpan({ origins: [origin({ spdxId: "" })] });

    expect(matchLabel(match(), source)).toContain(" · licence unknown · ");
  });

  test("names the document where it has no origin", () => {
    expect(matchLabel(match({ tier: "E2" }), sourceSpan({ origins: [] }))).toBe(
      "E2 equal but for whitespace and comments · document 7:10–40 · 31 lines",
    );
  });
});

describe("matchDetail", () => {
  test("tells the lines of the user's file and the claim", () => {
    expect(matchDetail(match(), sourceSpan())).toBe("lines 5–35 of this file · in the index");
  });

  test("tells what the team's policy says", () => {
    expect(matchDetail(match({ decision: "ask" }), sourceSpan())).toBe(
      "lines 5–35 of this file · in the index · policy: ask",
    );
  });

  test("speaks of one line", () => {
    const range = { start: { line: 0, character: 0 }, end: { line: 1, character: 0 } };

    expect(matchDetail(match({ range }), sourceSpan())).toBe("line 1 of this file · in the index");
  });

  test("tells how widespread the code is", () => {
    const source = sourceSpan({ origins: [origin(), origin({ name: "pip" })] });

    expect(matchDetail(match({ claim: "trained_on", nPackages: 4 }), source)).toBe(
      "lines 5–35 of this file · in the model's training data · held by 4 packages · the same file in 2 places",
    );
  });
});

describe("matchRows", () => {
  test("follow the text, one row a source", () => {
    const late = match({ sources: [sourceSpan({ documentId: 1 }), sourceSpan({ documentId: 2 })] });
    const early = match({
      range: { start: { line: 0, character: 0 }, end: { line: 2, character: 0 } },
      sources: [sourceSpan({ documentId: 3 })],
    });

    expect(matchRows([late, early]).map((row) => row.source.documentId)).toEqual([3, 1, 2]);
  });
});

describe("line ranges", () => {
  test("one that ends at column 0 does not touch that line", () => {
    const range = { start: { line: 3, character: 0 }, end: { line: 4, character: 0 } };

    expect([lineSpan(range), countLines(range)]).toEqual(["4", 1]);
  });

  test("one that ends inside a line touches it", () => {
    const range = { start: { line: 3, character: 2 }, end: { line: 4, character: 1 } };

    expect([lineSpan(range), countLines(range)]).toEqual(["4–5", 2]);
  });
});

describe("textRanges", () => {
  const lines = ["a = [", "", "    1,  ", "]  # end"];
  const underlined = (start: [number, number], end: [number, number]): string[] => {
    const at = ([line, character]: [number, number]): { line: number; character: number } => ({ line, character });
    const ranges = textRanges({ start: at(start), end: at(end) }, (line) => lines[line] ?? "");
    return ranges.map((range) => `${range.start.line}: ${lines[range.start.line]?.slice(range.start.character, range.end.character)}`);
  };

  test("leave out indentation, trailing blanks and empty lines", () => {
    expect(underlined([0, 0], [3, 1])).toEqual(["0: a = [", "2: 1,", "3: ]"]);
  });

  test("begin and end inside a line", () => {
    expect(underlined([0, 2], [0, 4])).toEqual(["0: ="]);
  });

  test("one that ends at column 0, or past the text, holds nothing of that line", () => {
    expect(underlined([2, 0], [3, 0])).toEqual(["2: 1,"]);
    expect(underlined([3, 3], [9, 5])).toEqual(["3: # end"]);
  });
});

describe("verdictWords", () => {
  test("has nothing to say where there are matches to list", () => {
    expect(verdictWords({ verdict: "found", reason: "" }, "this file")).toBeUndefined();
  });

  test("NONE says that it looked", () => {
    const words = verdictWords({ verdict: "none", reason: "" }, "the selection");

    expect(words).toMatchObject({ level: "info" });
    expect(words?.text).toContain("looked and found no match for the selection");
  });

  test("UNKNOWN warns, gives the reason and never says that there is no match", () => {
    const words = verdictWords({ verdict: "unknown", reason: "no index; run: starcite index build" }, "this file");

    expect(words).toMatchObject({ level: "warning" });
    expect(words?.text).toBe("Starcite could not look for this file: no index; run: starcite index build");
    expect(words?.text).not.toContain("no match");
  });
});

test("plural knows one and many", () => {
  expect([plural(1, "match"), plural(2, "match"), plural(0, "line")]).toEqual(["1 match", "2 matches", "0 lines"]);
});
