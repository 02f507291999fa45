// The address of a stored source: starcite-source:/<documentId>/<package>-<version>/<path>.
// The path's last part is the tab's title and tells VS Code the language.

import type { Origin } from "./protocol";

export const SOURCE_SCHEME = "starcite-source";

/** The decoded path of the address of an indexed document. */
export function sourcePath(documentId: number, origin: Origin | undefined): string {
  if (origin === undefined) {
    return `/${documentId}/unknown/source.txt`;
  }
  const folder = `${origin.name}-${origin.version}`.replaceAll("/", "_");
  return `/${documentId}/${folder}/${origin.path.replace(/^\/+/, "")}`;
}

/** The document id in such a path, or undefined if it is no such path. */
export function documentIdOf(path: string): number | undefined {
  const id = /^\/(\d+)\/[^/]+\/./.exec(path)?.[1];
  return id === undefined ? undefined : Number(id);
}
