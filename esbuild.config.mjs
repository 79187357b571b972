// One entry, split at each dynamic import: `mmm --help` then reads the command tree alone
// (measured: docs of the decisions 0002 and 0028).
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const { version } = JSON.parse(await readFile(new URL("package.json", import.meta.url), "utf8"));

// string-width makes a segmenter and an expression of all emoji when it is loaded (25 ms); ASCII needs neither, nor does the sign
// of what was cut.
const lazyWidth = lazily("string-width", {
  filter: /^string-width$/,
  contents: `
    let width;
    export default (text) =>
      /^[ -~…]*$/.test(text) ? text.length : (width ??= require("string-width").default)(text);
  `,
});

// The package's other build, of the same code: modules, of which only what is used is taken, and no look at an
// environment variable for each token. It differs where it reads `!!binary`: `atob` throws where node's reader goes on.
const yamlModules = {
  name: "yaml-modules",
  setup(builder) {
    const folder = join(here, "node_modules", "yaml", "browser", "dist");
    builder.onResolve({ filter: /^yaml$/ }, () => ({ path: join(folder, "index.js") }));
    builder.onLoad({ filter: /yaml-1\.1[\\/]binary\.js$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const asNode = (code) => `Buffer.from(${code}, "base64").toString("latin1")`;
      const contents = text.replace(/\batob\((src\.replace\(.*?\))\)/, (_, code) => asNode(code));
      if (contents === text) throw new Error(`${path} is not as it was`);
      return { contents };
    });
  },
};

// As large as all that reads a playbook, and most hold no pattern: a file of its own, read when the first one is met.
const lazyPatterns = lazily("re2js", {
  filter: /^re2js$/,
  contents: `
    Object.defineProperty(exports, "RE2JS", {
      enumerable: true,
      get: () => require("./patterns.cjs").RE2JS,
    });
  `,
  external: /^\.\/patterns\.cjs$/,
});

// Commander asks for it to run commands that are programs of their own, which mmm has not.
const lazyChildren = lazily("children", {
  filter: /^node:child_process$/,
  from: /node_modules[\\/]commander[\\/]/,
  contents: `
    Object.defineProperty(exports, "spawn", { get: () => require("node:child_process").spawn });
  `,
});

/**
 * Each file costs a start half a millisecond, and esbuild makes one of every set of entries that share something. What is
 * small is for all entries; what reads a playbook goes together to the entries that read one, or run after those that do.
 */
const gather = {
  name: "gather",
  setup(builder) {
    const basis = [
      "errors.ts",
      ...inFolder("lib", "byte-length duration nearest pattern printable result"),
      ...inFolder("lib", "shell-word tolerance unreachable"),
      ...inFolder("playbook", "plan-steps source"),
    ];
    const reader = [
      ...inFolder("values", "gate-words names reference value"),
      ...inFolder("playbook", "limits outputs schema-keys worktree yaml"),
      "steps/claude.ts",
    ];
    const readers =
      /^(?:app\/(?:claude-check|cook|doctor|dry-run|resume|schema|shipped-commands|validate|worktree\/merge-command)|claude\/(?:command-files|commands)|engine\/capture|playbook\/plan-condition|values\/condition\/evaluate)\.ts$/;
    builder.onResolve({ filter: /^\./ }, async ({ kind, path, resolveDir }) =>
      kind === "dynamic-import" && resolveDir.startsWith(`${here}src`)
        ? { path: relative(`${here}src`, join(resolveDir, path)), namespace: "gather" }
        : undefined,
    );
    builder.onLoad({ filter: /.*/, namespace: "gather" }, ({ path }) => ({
      contents: [
        ...[...basis, ...(readers.test(path) ? reader : [])].map((each) => `import "./${each}";`),
        `export * from "./${path}";`,
      ].join("\n"),
      resolveDir: `${here}src`,
    }));
  },
};

function inFolder(folder, names) {
  return names.split(" ").map((name) => `${folder}/${name}.ts`);
}

/** A module that others import by name, stood in for by one that loads it when it is used. */
function lazily(name, { filter, contents, from = /(?:)/, external }) {
  const namespace = `lazy-${name}`;
  return {
    name: namespace,
    setup(builder) {
      builder.onResolve({ filter }, ({ path, importer, namespace: within }) =>
        within !== namespace && from.test(importer) ? { path, namespace } : undefined,
      );
      if (external !== undefined)
        builder.onResolve({ filter: external }, ({ path }) => ({ path, external: true }));
      builder.onLoad({ filter: /.*/, namespace }, () => ({ contents, resolveDir: here }));
    },
  };
}

const common = {
  bundle: true,
  platform: "node",
  target: "node20.19",
  sourcesContent: false,
  // Names stay, for the stack of a bug.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: "none",
  logLevel: "warning",
};

const dist = new URL("dist/", import.meta.url);
await rm(dist, { recursive: true, force: true });
await mkdir(dist);

// Split as modules, which esbuild does with these alone; then each file by itself CommonJS, of which `src/start.ts` can keep what V8
// compiled, and which spares Node its loader of modules and a copy of each built-in one.
const modules = await build({
  ...common,
  sourcemap: "inline",
  entryPoints: { mmm: "src/main.ts" },
  chunkNames: "chunk-[hash]",
  outdir: "dist",
  write: false,
  splitting: true,
  format: "esm",
  plugins: [yamlModules, gather, lazyWidth, lazyPatterns, lazyChildren],
  define: {
    MMM_VERSION: JSON.stringify(version),
    "import.meta.dirname": "__dirname",
    // Of fdir, which makes a `require` of it; a path will do.
    "import.meta.url": "__filename",
  },
});
const patterns = await build({
  ...common,
  sourcemap: "inline",
  stdin: { contents: `export { RE2JS } from "re2js";`, resolveDir: here },
  outfile: "dist/patterns.cjs",
  write: false,
  format: "cjs",
});
const sum = createHash("sha256");
for (const { path, text } of [...modules.outputFiles, ...patterns.outputFiles]) {
  const name = basename(path);
  const { code, map } = await transform(text, {
    format: "cjs",
    platform: "node",
    target: common.target,
    // import() becomes a promise of require().
    supported: { "dynamic-import": false },
    minifyWhitespace: true,
    sourcemap: "external",
    sourcesContent: false,
    sourcefile: name,
    // What `src/start.ts` loads is a function.
    banner: '(function(require,module,__filename,__dirname){"use strict";',
    footer: "})",
  });
  sum.update(code);
  await writeFile(new URL(name, dist), `${code}//# sourceMappingURL=${name}.map\n`);
  await writeFile(new URL(`${name}.map`, dist), map);
}
await build({
  ...common,
  sourcemap: true,
  entryPoints: ["src/start.ts"],
  outfile: "dist/main.js",
  format: "cjs",
  define: { MMM_BUILD: JSON.stringify(sum.digest("hex")) },
});
await writeFile(new URL("package.json", dist), '{ "type": "commonjs" }\n');
await chmod(new URL("main.js", dist), 0o755);
// Made once, here: `mmm init` would spend half of its time on it (src/app/schema-text.ts).
await writeFile(
  new URL("playbook.schema.json", dist),
  execFileSync(process.execPath, [fileURLToPath(new URL("main.js", dist)), "schema"], {
    env: { ...process.env, NODE_DISABLE_COMPILE_CACHE: "1" },
  }),
);
