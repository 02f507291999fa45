// The extension and the server are released together; this says when they have drifted apart.

/** Whether two versions agree in what may change the protocol: the first two numbers. */
export function compatible(extension: string, server: string): boolean {
  const ours = release(extension);
  return ours !== undefined && ours === release(server);
}

/** A warning for the user, or undefined where extension and server fit. */
export function versionWarning(extension: string, server: string | undefined): string | undefined {
  if (server !== undefined && compatible(extension, server)) {
    return undefined;
  }
  const found = server === undefined ? "does not say its version" : `is version ${server}`;
  return `Starcite's language server ${found}, this extension is ${extension}. Install matching versions: pip install "starcite==${extension}".`;
}

/** The first thing in a program's output that reads as a version: "starcite, version 0.1.0". */
export function versionIn(output: string): string | undefined {
  return /\b\d+\.\d+[\w.+-]*/.exec(output)?.[0];
}

function release(version: string): string | undefined {
  return /^v?(\d+\.\d+)(?!\d)/.exec(version.trim())?.[1];
}
