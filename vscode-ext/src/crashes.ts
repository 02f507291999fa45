// Whether a server that ended by itself is started again.

const MAX_CRASHES = 5;
const WINDOW_MS = 3 * 60_000;

/** Counts ends of the server; `crashed` says why to give up, or undefined to start it again. */
export class CrashCount {
  private times: number[] = [];

  /** Notes an end at a time in milliseconds; `hasRun` is false where it never came up. */
  crashed(atMs: number, hasRun: boolean): string | undefined {
    if (!hasRun) {
      return "The language server ended before it was ready.";
    }
    this.times = [...this.times.filter((time) => atMs - time < WINDOW_MS), atMs];
    return this.times.length < MAX_CRASHES
      ? undefined
      : `The language server ended ${MAX_CRASHES} times in ${WINDOW_MS / 60_000} minutes.`;
  }
}
