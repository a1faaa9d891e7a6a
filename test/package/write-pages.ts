/**
 * The code of README and docs as files of a user's project: one folder a page. What a reader would
 * leave running on known ports gets free ones.
 */
import { readdirSync } from "node:fs";
import path from "node:path";
import { repositoryRoot } from "../../scripts/checks/source-files.ts";
import { pickPorts } from "../support/pick-ports.ts";
import { readSnippets } from "../support/read-snippets.ts";
import type { Project } from "./project.ts";

/** The node that the README's node joins: the page leaves that one to its reader. */
const firstNode = `
import { startNode } from "latticework/node";
import { functions } from "./functions.ts";

const node = await startNode({ functions, listen: { port: 7400 }, logger: "silent" });
const timer = setInterval(() => {
  const alive = node.status().members.filter((member) => member.status === "alive");
  if (alive.length < 2) return;
  clearInterval(timer);
  console.log("two nodes");
}, 20);
`;

/** Returns the folder `pages` of the project, with the public type tests beside the pages. */
export async function writePages(project: Project): Promise<string> {
  const [first = 0, second = 0] = await pickPorts(2);
  const place = (code: string): string =>
    code.replaceAll("7400", String(first)).replaceAll("7401", String(second));
  const docs = readdirSync(path.join(repositoryRoot, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`);
  for (const page of ["README.md", ...docs]) {
    const snippets = readSnippets(path.join(repositoryRoot, page));
    const files = snippets.map(({ name, code }) => [name, place(code)] as const);
    project.write(`pages/${path.basename(page, ".md")}`, Object.fromEntries(files));
  }
  project.write("pages/README", { "first.ts": place(firstNode) });
  const types = path.join(repositoryRoot, "test/types/entry-points.test-d.ts");
  project.copy("pages/types", [types]);
  return path.join(project.folder, "pages");
}
