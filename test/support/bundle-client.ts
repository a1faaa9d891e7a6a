/**
 * Bundles code for browsers as a user's bundler would: everything inside, nothing external, no
 * settings that favour us. esbuild's own account of what went in is the evidence of what did not.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

export interface ClientBundle {
  /** Of the entry chunk: what a page must load before it can call anything. */
  readonly entryFile: string;
  readonly entryCode: string;
  readonly gzipBytes: number;
  /** Files of the entry chunk, relative to the folder that was bundled. */
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
  const [file, output] = outputs.find(([, { entryPoint }]) => entryPoint !== undefined) ?? [];
  if (file === undefined || output === undefined) throw new Error("esbuild made no entry chunk");
  const entryFile = path.resolve(path.dirname(entry), file);
  const bytes = readFileSync(entryFile);
  return {
    entryFile,
    entryCode: bytes.toString("utf8"),
    gzipBytes: gzipSync(bytes, { level: 9 }).length,
    inputs: Object.keys(output.inputs),
    externals: outputs.flatMap(([, { imports }]) =>
      imports.filter(({ external }) => external === true).map(({ path: name }) => name),
    ),
  };
}
