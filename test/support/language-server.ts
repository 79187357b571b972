/** The YAML language server that editors use, over its standard streams (its own protocol, LSP 3.17). */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createRequire } from "node:module";
import type { Readable, Writable } from "node:stream";
import { pathToFileURL } from "node:url";

type Message = {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
};

export interface Completion {
  readonly label: string;
  readonly documentation?: string;
}

export interface Diagnostic {
  readonly message: string;
  readonly range: { readonly start: { readonly line: number; readonly character: number } };
}

export class LanguageServer {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers = new Map<number, (result: unknown) => void>();
  readonly #published = new Map<string, (list: readonly Diagnostic[]) => void>();
  #bytes = Buffer.alloc(0);
  #count = 0;

  private constructor(cwd: string) {
    const program = createRequire(import.meta.url).resolve(
      "yaml-language-server/bin/yaml-language-server",
    );
    this.#child = spawn(process.execPath, [program, "--stdio"], {
      cwd,
      stdio: ["pipe", "pipe", "ignore"],
    });
    this.#child.stdout.on("data", (chunk: Buffer) => this.#read(chunk));
  }

  static async start(root: string): Promise<LanguageServer> {
    const server = new LanguageServer(root);
    await server.#ask("initialize", {
      processId: process.pid,
      rootUri: String(pathToFileURL(root)),
      capabilities: { textDocument: { hover: { contentFormat: ["markdown"] }, completion: {} } },
    });
    server.#send({ method: "initialized", params: {} });
    return server;
  }

  /** As an editor does when a file is opened; resolves with what the server finds wrong in it. */
  async open(file: string, text: string): Promise<readonly Diagnostic[]> {
    const uri = String(pathToFileURL(file));
    const published = new Promise<readonly Diagnostic[]>((resolve) => {
      this.#published.set(uri, resolve);
    });
    const textDocument = { uri, languageId: "yaml", version: 1, text };
    this.#send({ method: "textDocument/didOpen", params: { textDocument } });
    return published;
  }

  /** Line and character from 0. */
  async completions(file: string, line: number, character: number): Promise<readonly Completion[]> {
    const answer = await this.#ask("textDocument/completion", place(file, line, character));
    return (answer as { items: readonly Completion[] }).items;
  }

  /** Empty: nothing is known there. */
  async hover(file: string, line: number, character: number): Promise<string> {
    const answer = await this.#ask("textDocument/hover", place(file, line, character));
    return (answer as { contents?: { value: string } } | null)?.contents?.value ?? "";
  }

  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once("close", resolve));
    this.#child.kill("SIGKILL");
    await gone;
  }

  async #ask(method: string, params: unknown): Promise<unknown> {
    this.#count += 1;
    const id = this.#count;
    const answer = new Promise((resolve) => this.#answers.set(id, resolve));
    this.#send({ id, method, params });
    return answer;
  }

  #send(message: Message): void {
    const json = JSON.stringify({ jsonrpc: "2.0", ...message });
    this.#child.stdin.write(`Content-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`);
  }

  #read(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    for (;;) {
      const head = this.#bytes.indexOf("\r\n\r\n");
      if (head === -1) return;
      const length = Number(
        /Content-Length: (\d+)/i.exec(this.#bytes.toString("latin1", 0, head))?.[1],
      );
      const end = head + 4 + length;
      if (this.#bytes.length < end) return;
      const message = JSON.parse(this.#bytes.toString("utf8", head + 4, end)) as Message;
      this.#bytes = this.#bytes.subarray(end);
      this.#take(message);
    }
  }

  #take({ id, method, params, result }: Message): void {
    if (method === undefined) {
      this.#answers.get(id ?? -1)?.(result ?? null);
    } else if (id !== undefined) {
      // It asks for settings; there are none.
      const items = (params as { items?: readonly unknown[] } | undefined)?.items;
      this.#send({ id, result: items?.map(() => null) ?? null });
    } else if (method === "textDocument/publishDiagnostics") {
      const { uri, diagnostics } = params as { uri: string; diagnostics: readonly Diagnostic[] };
      this.#published.get(uri)?.(diagnostics);
    }
  }
}

function place(file: string, line: number, character: number): unknown {
  return { textDocument: { uri: String(pathToFileURL(file)) }, position: { line, character } };
}
