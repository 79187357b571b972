/** `mmm-<stem>-<unix seconds>` in `[a-z0-9-]`; `session` when nothing is left of the stem (spec 7). */
export function sessionName(
  playbookFile: string,
  now: Date,
  isTaken: (name: string) => boolean,
): string {
  const base = playbookFile.slice(
    Math.max(playbookFile.lastIndexOf("/"), playbookFile.lastIndexOf("\\")) + 1,
  );
  const stem = base
    .replace(/\.(ya?ml|json)$/i, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 60)
    .replace(/^-|-$/g, "");
  const name = `mmm-${stem === "" ? "session" : stem}-${Math.floor(now.getTime() / 1000)}`;
  if (!isTaken(name)) return name;
  for (let n = 2; ; n += 1) if (!isTaken(`${name}-${n}`)) return `${name}-${n}`;
}
