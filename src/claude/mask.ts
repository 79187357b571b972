/** What looks like a secret, kept out of recordings (spec 3.2, 6.6): people check them in and send them around. Pure. */

export const MASK = "***";

/** Names of variables whose value is one. */
const TELLING = /(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|_PAT|_PWD)(?:_|$)/i;
/** Shorter ones are words of the language too: masking them would leave nothing to read. */
const LEAST_CHARACTERS = 8;

/** By their form alone, whatever variable they came from; each pattern is linear. */
const FORMS: readonly RegExp[] = [
  /\bsk-[A-Za-z]{2,10}-[\w-]{8,500}/g,
  /\bgh[opsur]_[A-Za-z0-9]{20,255}/g,
  /\bgithub_pat_\w{20,255}/g,
  /\bglpat-[\w-]{16,255}/g,
  /\bxox[abeprs]-[\w-]{10,255}/g,
  /\bA[KS]IA[0-9A-Z]{16}\b/g,
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]{0,20000}-----END [A-Z ]{0,40}PRIVATE KEY-----/g,
];

/** Values of variables that are secrets by their name, as they are, base64- and URL-encoded; longest first. */
export function secretsOf(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const found = new Set<string>();
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value.length < LEAST_CHARACTERS || !TELLING.test(name)) continue;
    const base64 = Buffer.from(value).toString("base64");
    for (const form of [value, base64, base64.replace(/=+$/, ""), encodeURIComponent(value)])
      found.add(form);
  }
  return [...found].sort((one, other) => other.length - one.length);
}

/** @param secrets as {@link secretsOf} gives them. */
export function mask(text: string, secrets: readonly string[]): string {
  let masked = text;
  for (const secret of secrets) masked = masked.replaceAll(secret, MASK);
  for (const form of FORMS) masked = masked.replaceAll(form, MASK);
  return masked;
}
