/**
 * Bundles code for browsers as a user's bundler would: everything inside, nothing external, no
 * settings that favour us. esbuild's own account of what went in is the evidence of what did not.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { build, type Metafile } from "esbuild";

export interface ClientBundle {
  readonly entryFile: string;
  /** Of the entry chunk and those that it cannot do without: what a page loads before it can call. */
  readonly entryCode: string;
  readonly gzipBytes: number;
  /** Files of these chunks, relative to the folder that was bundled. */
  readonly inputs: readonly string[];
  /** Modules that any chunk imports from outside the bundle. */
  readonly externals: readonly string[];
}

export interface BundleOptions {
  readonly entry: string;
  /** An empty folder for the output. */
  readonly outdir: string;
  /** Packages that stand for others, by file. */
  readonly alias?: Record<string, string>;
}

export async function bundleClient({ entry, outdir, alias }: BundleOptions): Promise<ClientBundle> {
  const { metafile } = await build({
    entryPoints: [entry],
    outdir,
    absWorkingDir: path.dirname(entry),
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    metafile: true,
    logLevel: "silent",
    ...(alias === undefined ? {} : { alias }),
  });
  const outputs = Object.entries(metafile.outputs);
  const own = path.basename(entry);
  const isEntry = ([, { entryPoint }]: (typeof outputs)[number]): boolean => entryPoint === own;
  const [file] = outputs.find(isEntry) ?? [];
  if (file === undefined) throw new Error("esbuild made no entry chunk");
  const needed = [...chunksNeeded(metafile, file)];
  const chunks = needed.map((chunk) => readFileSync(path.resolve(path.dirname(entry), chunk)));
  return {
    entryFile: path.resolve(path.dirname(entry), file),
    entryCode: chunks.map((bytes) => bytes.toString("utf8")).join("\n"),
    gzipBytes: chunks.reduce((sum, bytes) => sum + gzipSync(bytes, { level: 9 }).length, 0),
    inputs: needed.flatMap((chunk) => Object.keys(metafile.outputs[chunk]!.inputs)),
    externals: outputs.flatMap(([, { imports }]) =>
      imports.filter(({ external }) => external === true).map(({ path: name }) => name),
    ),
  };
}

/** The chunk and those that it imports in one way or another, but for what is loaded when wanted. */
function chunksNeeded({ outputs }: Metafile, first: string): ReadonlySet<string> {
  const needed = new Set([first]);
  for (const chunk of needed) {
    for (const { path: name, kind, external } of outputs[chunk]!.imports) {
      if (kind === "import-statement" && external !== true) needed.add(name);
    }
  }
  return needed;
}
