// One entry, split at each dynamic import: `mmm --help` then reads the command tree alone
// (measured: docs of the decision 0002). CommonJS packages inside an ES module need `require` and `__filename`.
import { execFileSync } from "node:child_process";
import { rm, chmod, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const { version } = JSON.parse(await readFile(new URL("package.json", import.meta.url), "utf8"));

// string-width makes a segmenter and an expression of all emoji when it is loaded (25 ms); ASCII needs neither.
const lazyWidth = {
  name: "lazy-string-width",
  setup(builder) {
    builder.onResolve({ filter: /^string-width$/ }, ({ kind }) =>
      kind === "import-statement" ? { path: "string-width", namespace: "lazy" } : undefined,
    );
    builder.onLoad({ filter: /.*/, namespace: "lazy" }, () => ({
      contents: `
        let width;
        export default (text) =>
          /^[ -~]*$/.test(text) ? text.length : (width ??= require("string-width").default)(text);
      `,
      resolveDir: fileURLToPath(new URL(".", import.meta.url)),
    }));
  },
};

await rm(new URL("dist", import.meta.url), { recursive: true, force: true });
await build({
  entryPoints: ["src/main.ts"],
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  sourcemap: true,
  sourcesContent: false,
  plugins: [lazyWidth],
  define: { MMM_VERSION: JSON.stringify(version) },
  chunkNames: "chunk-[hash]",
  banner: {
    js: [
      "import { createRequire as mmmCreateRequire } from 'node:module';",
      "import { fileURLToPath as mmmFilePath } from 'node:url';",
      "const require = mmmCreateRequire(import.meta.url), __filename = mmmFilePath(import.meta.url);",
    ].join("\n"),
  },
  logLevel: "warning",
});
await chmod(new URL("dist/main.js", import.meta.url), 0o755);
// Made once, here: `mmm init` would spend half of its time on it (src/app/schema-text.ts).
const main = fileURLToPath(new URL("dist/main.js", import.meta.url));
await writeFile(
  new URL("dist/playbook.schema.json", import.meta.url),
  execFileSync(process.execPath, [main, "schema"]),
);
