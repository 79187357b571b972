/** The line that tells an editor which schema a playbook has. */
import path from "node:path";

/** Relative to the repository's top. */
export const SCHEMA_FILE = ".mmm/playbook.schema.json";

/** As YAML language servers read it: the path is relative to the playbook's folder. Both paths are absolute. */
export function modeline(folder: string, schema: string): string {
  const way = path.relative(folder, schema).split(path.sep).join("/");
  return `# yaml-language-server: $schema=${way.startsWith(".") ? way : `./${way}`}`;
}
