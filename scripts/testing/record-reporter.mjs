/**
 * A reporter for Node's test runner that writes what `judge-run.ts` needs, one JSON object a line:
 * the outcome of every test, and for every file how long it took.
 */
export default async function* recordReporter(source) {
  for await (const { type, data } of source) {
    if (type !== "test:complete") continue;
    const { name, file, nesting, skip, todo, details } = data;
    const durationMs = details.duration_ms;
    const isSuite = details.type === "suite";
    yield `${JSON.stringify({ name, file, nesting, skip, todo, durationMs, isSuite })}\n`;
  }
}
