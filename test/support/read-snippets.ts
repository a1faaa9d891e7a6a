/**
 * The code of a Markdown page, as files. A block of TypeScript begins with its file's name in a
 * comment (`// client.ts`), so that what a reader copies has a name, blocks of one page can import
 * each other, and no block escapes the tests.
 */
import { readFileSync } from "node:fs";

export interface Snippet {
  /** `client.ts`. */
  readonly name: string;
  /** Of the block's first line of code in the page, for messages. */
  readonly line: number;
  readonly code: string;
}

const fence = /^```(?<language>\w*)[^\n]*\n(?<code>[\s\S]*?)^```$/gm;
const title = /^\/\/ (?<name>[\w.-]+\.ts)$/m;

/** All TypeScript blocks of the page, in order. @throws for a block without a name, or one twice */
export function readSnippets(file: string): Snippet[] {
  const text = readFileSync(file, "utf8");
  const snippets: Snippet[] = [];
  for (const { index, groups } of text.matchAll(fence)) {
    if (groups?.["language"] !== "ts") continue;
    const code = groups["code"] ?? "";
    const line = text.slice(0, index).split("\n").length + 1;
    const name = title.exec(code.split("\n")[0] ?? "")?.groups?.["name"];
    if (name === undefined) {
      throw new Error(`${file}:${String(line)}: the first line must name the file: // client.ts`);
    }
    if (snippets.some((other) => other.name === name)) {
      throw new Error(`${file}:${String(line)}: there are two blocks named ${name}`);
    }
    snippets.push({ name, line, code });
  }
  return snippets;
}
