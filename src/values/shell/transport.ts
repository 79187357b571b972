import { byteLength } from "../../lib/byte-length.ts";

/** Names of the variables that carry values. The caller removes inherited ones, those of an mmm around this one. */
const VARIABLE_PREFIX = "__MMM_";

/** Linux takes 131 072 bytes for one `NAME=value`; a third is left for what else may go in. */
const MAX_INLINE_BYTES = 100_000;
/** Arguments and environment together have about 2 MB; from here on values go by file. */
const MAX_TOTAL_BYTES = 256 * 1024;

/** A file the caller writes; its path then goes into `env[variable]`. */
export interface CarriedFile {
  readonly variable: string;
  readonly content: string;
}

/** Collects the values of one command: by environment while they are small, else by file. */
export class Transport {
  readonly env: Record<string, string> = {};
  readonly files: CarriedFile[] = [];
  /** Shell text that reads the large values; it stands before the command on the same line. */
  prelude = "";
  private readonly carried = new Map<string, string>();
  private readonly paths = new Map<string, string>();
  private total = 0;
  private count = 0;

  /** The name of the variable that holds `text`; `file` holds it already, and bytes that are no text as they are. */
  carry(text: string, file?: string): string {
    const key = file ?? `\0${text}`;
    const known = this.carried.get(key);
    if (known !== undefined) return known;
    this.count += 1;
    const variable = `${VARIABLE_PREFIX}${this.count}`;
    this.carried.set(key, variable);
    const bytes = byteLength(text);
    // Name, "=", NUL and the pointer count as well.
    const cost = bytes + variable.length + 10;
    const isLarge = bytes > MAX_INLINE_BYTES || this.total + cost > MAX_TOTAL_BYTES;
    if (isLarge || file !== undefined) this.byFile(text, file);
    else {
      this.total += cost;
      this.env[variable] = text;
    }
    return variable;
  }

  /** The name of the variable that holds the path of a file with `text` in it. */
  carryPath(text: string, file?: string): string {
    const key = file ?? `\0${text}`;
    const known = this.paths.get(key);
    if (known !== undefined) return known;
    this.count += 1;
    const variable = `${VARIABLE_PREFIX}${this.count}`;
    this.paths.set(key, variable);
    this.hold(variable, text, file);
    return variable;
  }

  private byFile(text: string, file: string | undefined): void {
    const variable = `${VARIABLE_PREFIX}${this.count}`;
    const path = `${VARIABLE_PREFIX}F${this.count}`;
    this.hold(path, text, file);
    // The dot keeps trailing newlines; it is no trail byte in any multibyte encoding.
    this.prelude += `${variable}=$(cat -- "$${path}" && printf .) || exit 125; ${variable}=\${${variable}%.}; unset ${path}; `;
  }

  private hold(variable: string, content: string, file: string | undefined): void {
    if (file === undefined) this.files.push({ variable, content });
    else this.env[variable] = file;
  }
}
