// Asks before installing the language server from the wheel in the vsix, and shows how far it is.

import { ProgressLocation, window } from "vscode";
import { installManaged } from "./managed";

const INSTALL = "Install";

/** Offers the installation; true when it was wanted and done. Rejects where it failed. */
export async function offerInstall(folder: string, wheel: string): Promise<boolean> {
  const question =
    "Starcite's language server is not installed. Install it into an environment of its own? " +
    "This downloads its dependencies from the Python Package Index (about 100 MB).";
  if ((await window.showInformationMessage(question, INSTALL, "Not Now")) !== INSTALL) {
    return false;
  }
  const progress = {
    location: ProgressLocation.Notification,
    title: "Starcite",
    cancellable: true,
  };
  await window.withProgress(progress, async ({ report }, token) => {
    const abort = new AbortController();
    const subscription = token.onCancellationRequested(() => abort.abort());
    try {
      await installManaged(folder, wheel, (message) => report({ message }), abort.signal);
    } finally {
      subscription.dispose();
    }
  });
  return true;
}
