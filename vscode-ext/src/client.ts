// The connection to the language server: starts it, restarts it, and passes its messages on.

import { EventEmitter, workspace, type CancellationToken, type Disposable, type LogOutputChannel } from "vscode";
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  RevealOutputChannelOn,
  State,
  type ErrorHandler,
  type LanguageClientOptions,
} from "vscode-languageclient/node";
import { languageServerSettings } from "./config";
import { CrashCount } from "./crashes";
import { reasonOf } from "./log";
import { pythonEnvironment, workingFolder } from "./machine";
import {
  CURSOR_METHOD,
  MATCHES_METHOD,
  SOURCE_METHOD,
  STATUS_METHOD,
  TRACE_METHOD,
  type CursorParams,
  type InitializationOptions,
  type MatchesParams,
  type SourceParams,
  type SourceResult,
  type StatusParams,
  type TraceParams,
  type TraceResult,
} from "./protocol";
import { missingServerText, type Finding, type Launch } from "./server";
import type { Connection } from "./status";
import { versionWarning } from "./version";

/** The schemes of documents that the server sees. */
export const DOCUMENT_SCHEMES: readonly string[] = ["file", "untitled"];

const POLICIES = "**/starcite.toml"; // a change of one is told to the server, which judges anew

const START_TIMEOUT_MS = 60_000; // a cold start on a busy machine takes seconds
const STOP_TIMEOUT_MS = 3000;

/** A language client whose errors go to the log only: the status bar and one message tell of them. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

export class StarciteClient implements Disposable {
  private readonly connectionEmitter = new EventEmitter<Connection>();
  private readonly statusEmitter = new EventEmitter<StatusParams>();
  private readonly matchesEmitter = new EventEmitter<MatchesParams>();
  readonly onConnection = this.connectionEmitter.event;
  readonly onStatus = this.statusEmitter.event;
  readonly onMatches = this.matchesEmitter.event;
  private readonly log: LogOutputChannel;
  private readonly version: string;
  private readonly find: () => Promise<Finding>;
  private client: QuietClient | undefined;
  private readonly policies = workspace.createFileSystemWatcher(POLICIES);
  private lastWords = ""; // the last line that the server wrote to stderr
  private queue: Promise<void> = Promise.resolve(); // starts and stops, one after the other

  constructor(log: LogOutputChannel, version: string, find: () => Promise<Finding>) {
    this.log = log;
    this.version = version;
    this.find = find;
  }

  /** Stops what runs, searches the server anew and starts it; never rejects. */
  restart(): Promise<void> {
    return this.enqueue(async () => {
      await this.end();
      await this.begin();
    });
  }

  /** Ends the server. */
  stop(): Promise<void> {
    return this.enqueue(() => this.end());
  }

  /** Tells the server that the settings have changed. */
  async sendSettings(): Promise<void> {
    const settings = { starcite: languageServerSettings() };
    if (this.client?.state === State.Running) {
      await this.client.sendNotification("workspace/didChangeConfiguration", { settings });
    }
  }

  /** Tells the server where the cursor rests; nothing is lost where it does not run. */
  async sendCursor(params: CursorParams): Promise<void> {
    if (this.client?.state === State.Running) {
      await this.client.sendNotification(CURSOR_METHOD, params).catch((error: unknown) => {
        this.log.debug(`cursor: ${reasonOf(error)}`);
      });
    }
  }

  /** @throws Error where the server does not run or cannot answer. */
  trace(params: TraceParams, token: CancellationToken): Promise<TraceResult> {
    return this.running().sendRequest<TraceResult>(TRACE_METHOD, params, token);
  }

  /** @throws Error where the server does not run or holds no such document. */
  async source(documentId: number): Promise<SourceResult> {
    const params: SourceParams = { documentId };
    return await this.running().sendRequest<SourceResult>(SOURCE_METHOD, params);
  }

  dispose(): void {
    void this.stop().then(() => {
      this.policies.dispose();
      this.connectionEmitter.dispose();
      this.statusEmitter.dispose();
      this.matchesEmitter.dispose();
    });
  }

  private enqueue(task: () => Promise<void>): Promise<void> {
    this.queue = this.queue.then(task).catch((error: unknown) => this.fail(reasonOf(error)));
    return this.queue;
  }

  private async begin(): Promise<void> {
    this.connectionEmitter.fire({ phase: "starting" });
    const finding = await this.find();
    if (finding.kind === "missing") {
      this.fail(missingServerText(finding.attempts, this.version), true);
      return;
    }
    this.log.info(`server found through: ${finding.how}`);
    const client = this.create(finding.launch);
    this.client = client;
    this.lastWords = "";
    try {
      await inTime(client.start(), START_TIMEOUT_MS);
      await this.greet(client);
    } catch (error) {
      const command = [finding.launch.command, ...finding.launch.args].join(" ");
      const reason = this.lastWords || reasonOf(error);
      client.serverProcess?.kill(); // it may still be there, and hang
      this.fail(`Starcite's language server did not start (${finding.how}): ${reason}\nCommand: ${command}`);
    }
  }

  private async end(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    if (client !== undefined) {
      await client.dispose(STOP_TIMEOUT_MS).catch((error: unknown) => {
        this.log.debug(`stopping the server: ${reasonOf(error)}`);
      });
      this.connectionEmitter.fire({ phase: "stopped" });
    }
  }

  private async greet(client: QuietClient): Promise<void> {
    const serverVersion = client.initializeResult?.serverInfo?.version;
    this.log.info(`server version=${serverVersion ?? "unknown"} extension version=${this.version}`);
    const warning = versionWarning(this.version, serverVersion);
    this.connectionEmitter.fire({ phase: "running", ...(warning === undefined ? {} : { warning }) });
    this.statusEmitter.fire(await client.sendRequest<StatusParams>(STATUS_METHOD, {}));
  }

  private create(launch: Launch): QuietClient {
    const executable = {
      ...launch,
      options: { cwd: workingFolder(), env: pythonEnvironment() },
    };
    const hasRun = { value: false };
    const crashes = new CrashCount();
    const client = new QuietClient("starcite", "Starcite", executable, {
      ...this.options(),
      errorHandler: this.errorHandler(crashes, hasRun),
    });
    client.onNotification(STATUS_METHOD, (params: StatusParams) => this.statusEmitter.fire(params));
    client.onNotification(MATCHES_METHOD, (params: MatchesParams) => this.matchesEmitter.fire(params));
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Running && hasRun.value) {
        this.connectionEmitter.fire({ phase: "running" }); // up again after a crash
      }
      hasRun.value ||= newState === State.Running;
    });
    return client;
  }

  private errorHandler(crashes: CrashCount, hasRun: { value: boolean }): ErrorHandler {
    return {
      error: () => ({ action: ErrorAction.Continue, handled: true }),
      closed: () => {
        const giveUp = crashes.crashed(Date.now(), hasRun.value);
        if (giveUp === undefined) {
          this.log.warn("the language server ended; starting it again");
          this.connectionEmitter.fire({ phase: "starting" });
          return { action: CloseAction.Restart, handled: true };
        }
        if (hasRun.value) {
          this.fail(giveUp); // else start() rejects, and says more
        }
        return { action: CloseAction.DoNotRestart, handled: true };
      },
    };
  }

  private options(): LanguageClientOptions {
    return {
      documentSelector: DOCUMENT_SCHEMES.map((scheme) => ({ scheme })),
      synchronize: { fileEvents: this.policies },
      outputChannel: this.log,
      traceOutputChannel: this.log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      markdown: { isTrusted: { enabledCommands: ["starcite.openSource"] } },
      initializationOptions: (): InitializationOptions => ({
        settings: languageServerSettings(),
        commandLinks: true,
        clientVersion: this.version,
      }),
      initializationFailedHandler: () => false, // start() rejects, which is told once
      stdioOptions: {
        stdout: () => undefined, // stdout belongs to the protocol
        stderr: (stream, channel) => {
          stream.setEncoding("utf8");
          stream.on("data", (text: string) => {
            channel.info(`server: ${text.trimEnd()}`);
            this.lastWords = text.trim().split("\n").at(-1) || this.lastWords;
          });
        },
      },
      middleware: {
        // An error while completing is no reason to disturb: no ghost text, one line in the log.
        provideInlineCompletionItems: async (document, position, context, token, next) => {
          try {
            return await next(document, position, context, token);
          } catch (error) {
            this.log.debug(`inline completion: ${reasonOf(error)}`);
            return undefined;
          }
        },
      },
    };
  }

  private running(): QuietClient {
    if (this.client?.state !== State.Running) {
      throw new Error("its language server is not running; see the log (Starcite: Show Log)");
    }
    return this.client;
  }

  private fail(reason: string, missing = false): void {
    this.log.error(reason);
    this.connectionEmitter.fire({ phase: "failed", reason, missing });
  }
}

/** The promise's value, or an error where it takes longer than allowed. */
async function inTime<T>(promise: Promise<T>, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${limitMs / 1000} s`)), limitMs);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
