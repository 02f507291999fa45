// The last matches of each open document.

import type { Match, MatchesParams } from "./protocol";

/** Keeps what the server sent for the newest version of each document, by uri. */
export class MatchStore {
  private readonly byUri = new Map<string, MatchesParams>();

  /** Takes a notification unless the document has moved on since, or a newer one is here. */
  accept(params: MatchesParams, documentVersion: number | undefined): boolean {
    const known = this.byUri.get(params.uri);
    const outdated =
      (documentVersion !== undefined && params.version < documentVersion) ||
      (known !== undefined && params.version < known.version);
    if (!outdated) {
      this.byUri.set(params.uri, params);
    }
    return !outdated;
  }

  /** What is known of a document. */
  get(uri: string): MatchesParams | undefined {
    return this.byUri.get(uri);
  }

  /** The matches of a document; none where nothing is known. */
  matches(uri: string): readonly Match[] {
    return this.byUri.get(uri)?.matches ?? [];
  }

  /** Drops a closed document. */
  forget(uri: string): void {
    this.byUri.delete(uri);
  }

  /** Drops all: the server that said so is gone. */
  clear(): void {
    this.byUri.clear();
  }
}
