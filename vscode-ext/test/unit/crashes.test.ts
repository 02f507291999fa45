import { expect, test } from "vitest";
import { CrashCount } from "../../src/crashes";

test("a server that never came up is not started again", () => {
  expect(new CrashCount().crashed(0, false)).toBe("The language server ended before it was ready.");
});

test("the fifth end in three minutes is the last", () => {
  const crashes = new CrashCount();

  const answers = [0, 1000, 2000, 3000, 4000].map((at) => crashes.crashed(at, true));

  expect(answers).toEqual([undefined, undefined, undefined, undefined, "The language server ended 5 times in 3 minutes."]);
});

test("ends that lie minutes apart do not add up", () => {
  const crashes = new CrashCount();

  const answers = [0, 1, 2, 3, 4, 5, 6].map((minute) => crashes.crashed(minute * 60_000, true));

  expect(answers.filter((answer) => answer !== undefined)).toEqual([]);
});
