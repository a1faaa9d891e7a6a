/**
 * A reporter for Node's test runner that writes what `judge-run.ts` needs, one JSON object a line:
 * the outcome of every test, and after those of a file how long they took together.
 */
export default async function* recordReporter(source) {
  // Passes and failures come process by process, and those of a suite before its own.
  let inFile = [];
  for await (const { type, data } of source) {
    if (type !== "test:pass" && type !== "test:fail") continue;
    const { name, nesting, skip, todo, details } = data;
    const durationMs = details.duration_ms;
    const isSuite = details.type === "suite";
    inFile.push({ name, isFile: isSuite && nesting === 0, isSuite, skip, todo, durationMs });
    if (nesting > 0) continue;
    // The outermost suite bears the file's path; without one, the process ended within the file.
    for (const outcome of inFile) yield `${JSON.stringify({ ...outcome, file: name })}\n`;
    inFile = [];
  }
}
