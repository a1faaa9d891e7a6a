/**
 * An hour of four nodes, in virtual time: jobs run by the calendar, and half an hour later the node dies
 * that leads the busiest of them.
 */
import { createTestCluster } from "latticework/testing";
import { functions } from "./functions.ts";

const halfHourMs = 30 * 60_000;
const jobs = {
  report: "*/10 * * * *",
  tidy: "15,45 * * * 1-5",
  backup: "5 3 * * *",
} as const;

await using cluster = await createTestCluster({ functions, nodes: 4, seed: 1 });
const { client } = cluster;
for (const [name, calendar] of Object.entries(jobs)) {
  const firstAt = await client.get("job", name).plan(calendar);
  console.log(`${name.padEnd(7)} ${calendar.padEnd(16)} first ${firstAt}`);
}

await cluster.advance(halfHourMs);
const killed = cluster.primaryOf("job", "report");
cluster.crash(killed);
console.log(`${killed}, which ran the reports, is killed`);
await cluster.advance(halfHourMs);
await cluster.settled();

for (const { job, dueAt } of await client.get("journal", "all").lines()) {
  console.log(`${new Date(dueAt).toISOString()} ${job}`);
}
for (const name of Object.keys(jobs)) {
  const job = client.get("job", name);
  console.log(`${name.padEnd(7)} ran ${await job.runs()} times, next ${await job.next()}`);
}
