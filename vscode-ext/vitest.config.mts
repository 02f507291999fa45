import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { include: ["test/unit/**/*.test.ts"] },
  resolve: { alias: { vscode: fileURLToPath(new URL("test/unit/vscodeStub.ts", import.meta.url)) } },
});
