import { writeFileSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";

import type { ShellPort, ShellReport, ShellRequest } from "../engine/ports.ts";
import { noRedactor, type Redactor, type RedactStream } from "../lib/redact.ts";
import type { Children } from "./children.ts";
import { LogFile, Tail, logUnwritable } from "./output.ts";

/** Linux takes no single argument over 128 KiB; the rest is room for what is put around the script. */
const MAX_INLINE_BYTES = 100_000;

/** Shell steps: `sh -c`, output whole in the log, its end in memory (spec 2.1, 11); secrets masked everywhere. */
export function createShellPort(
  children: Children,
  reader: Reader = quickReader,
  redactor: Redactor = noRedactor,
): ShellPort {
  return { run: (request, signal) => runShell({ children, reader, redactor }, request, signal) };
}

/** Who reads what `onOutput` shows: a pager may stand still for hours (`mmm cook -v | less`). */
export interface Reader {
  /** More waits for the reader than is good to keep in memory. */
  isBehind(): boolean;
  /** Resolves when the reader has caught up, or after a short while: a step's end does not hang on a pager. */
  catchUp(): Promise<void>;
}

const quickReader: Reader = { isBehind: () => false, catchUp: async () => Promise.resolve() };

async function runShell(
  {
    children,
    reader,
    redactor,
  }: { readonly children: Children; readonly reader: Reader; readonly redactor: Redactor },
  request: ShellRequest,
  signal: AbortSignal,
): Promise<ShellReport> {
  const output = new ShellOutput(request, reader, redactor);
  if (request.script.includes("\0")) {
    output.close();
    const reason = "the script holds a NUL byte, which no shell can read";
    return { end: { kind: "not-started", reason }, durationMs: 0, bytes: 0, tail: "" };
  }
  try {
    const running = children.start(
      {
        command: "sh",
        args: shellArguments(request),
        cwd: request.cwd,
        env: request.env,
        stdin: request.stdin,
        timeoutMs: request.timeoutMs,
        // Two pipes tell nothing about the order of what came through them.
        merge: request.splitFiles === null,
        ...(request.onStart === undefined ? {} : { onStart: request.onStart }),
        onStdout: (chunk) => output.take("stdout", chunk),
        onStderr: (chunk) => output.take("stderr", chunk),
      },
      signal,
    );
    // The child is at work: making a file costs as much as a short step.
    output.prepare();
    const { end, durationMs, stillOpen } = await running;
    if (stillOpen === null) output.flush();
    // What a background process prints later still goes to the log, not to people.
    output.finish();
    if (stillOpen === null) output.close();
    else void stillOpen.then(() => output.closeQuietly());
    return { end, durationMs, ...output.summary() };
  } catch (error) {
    output.closeQuietly();
    throw error;
  }
}

function shellArguments(request: ShellRequest): readonly string[] {
  if (Buffer.byteLength(request.script) <= MAX_INLINE_BYTES) return ["-c", request.script];
  const file = `${request.logFile}.sh`;
  try {
    writeFileSync(file, request.script, { mode: 0o600 });
  } catch (error) {
    throw logUnwritable(file, error);
  }
  return [file];
}

type Source = "stdout" | "stderr";

class ShellOutput {
  readonly #tail = new Tail();
  readonly #log: LogFile;
  readonly #split: Readonly<Record<Source, LogFile>> | null;
  readonly #decoders: Readonly<Record<Source, StringDecoder>> | null;
  readonly #reader: Reader;
  readonly #redact: Readonly<Record<Source, RedactStream>>;
  #onOutput: ((text: string) => void) | null;
  /** Characters that the reader was too slow for. */
  #unshown = 0;

  constructor(request: ShellRequest, reader: Reader, redactor: Redactor) {
    this.#redact = { stdout: redactor.stream(), stderr: redactor.stream() };
    this.#reader = reader;
    this.#log = new LogFile(request.logFile);
    this.#split =
      request.splitFiles === null
        ? null
        : {
            stdout: new LogFile(request.splitFiles.stdout),
            stderr: new LogFile(request.splitFiles.stderr),
          };
    this.#onOutput = request.onOutput ?? null;
    this.#decoders =
      this.#onOutput === null
        ? null
        : { stdout: new StringDecoder("utf8"), stderr: new StringDecoder("utf8") };
  }

  prepare(): void {
    this.#log.prepare();
  }

  /** The log gets all at once; a promise holds the child back until the reader has caught up. */
  take(source: Source, chunk: Buffer): void | Promise<void> {
    this.#keep(source, this.#redact[source].push(chunk));
    if (this.#reader.isBehind()) return this.#reader.catchUp();
  }

  /** The child and all it started are gone: what may have been the beginning of a secret is none. */
  flush(): void {
    for (const source of ["stdout", "stderr"] as const) {
      this.#keep(source, this.#redact[source].end());
    }
  }

  #keep(source: Source, masked: Uint8Array): void {
    if (masked.length === 0) return;
    const chunk = Buffer.from(masked.buffer, masked.byteOffset, masked.length);
    this.#log.write(chunk);
    this.#split?.[source].write(chunk);
    this.#tail.push(chunk);
    this.#show(this.#decoders?.[source].write(chunk));
  }

  finish(): void {
    this.#show(this.#decoders?.stdout.end());
    this.#show(this.#decoders?.stderr.end());
    this.#tellMissing();
    this.#onOutput = null;
  }

  close(): void {
    this.#log.close();
    this.#split?.stdout.close();
    this.#split?.stderr.close();
  }

  /** When there is worse to tell, or nobody left to tell it to. */
  closeQuietly(): void {
    try {
      this.flush();
      this.close();
    } catch {
      // The log misses its last words; nothing else is lost.
    }
  }

  summary(): { readonly bytes: number; readonly tail: string; readonly masked: boolean } {
    const masked = this.#redact.stdout.masked || this.#redact.stderr.masked;
    return { bytes: this.#tail.total, tail: this.#tail.text(), masked };
  }

  #show(text: string | undefined): void {
    if (text === undefined || text === "" || this.#onOutput === null) return;
    if (this.#reader.isBehind()) {
      this.#unshown += text.length;
      return;
    }
    this.#tellMissing();
    this.#onOutput(text);
  }

  #tellMissing(): void {
    const missing = this.#unshown;
    this.#unshown = 0;
    if (missing > 0) this.#onOutput?.(`\n[${missing} characters are in the log only]\n`);
  }
}
