// As much of the vscode module as the tested files touch: configuration held in a plain object.

const values = new Map<string, unknown>();

/** Sets what `workspace.getConfiguration` answers: dotted keys without sections. */
export function setConfiguration(settings: Record<string, unknown>): void {
  values.clear();
  for (const [key, value] of Object.entries(settings)) {
    values.set(key, value);
  }
}

export const workspace = {
  getConfiguration: (section: string) => ({
    get: (key: string): unknown => values.get(`${section}.${key}`),
  }),
};
