import { expect, test } from "vitest";
import { documentIdOf, sourcePath } from "../../src/sourceUri";
import { origin } from "./examples";

test("the path holds the document, the package and the file", () => {
  expect(sourcePath(12, origin())).toBe("/12/requests-2.32.3/requests/models.py");
});

test.each([
  origin(),
  origin({ name: "a/b", path: "/odd name/é#?.py" }),
  origin({ name: "", version: "", path: "x.py" }),
  undefined,
])("the document id comes back from the path %#", (from) => {
  expect(documentIdOf(sourcePath(305, from))).toBe(305);
});

test.each(["", "/", "/12", "/12/requests-2.32.3", "/x/requests-2.32.3/a.py", "12/p/a.py"])(
  "%j is the address of no document",
  (path) => {
    expect(documentIdOf(path)).toBeUndefined();
  },
);
