/**
 * The program of every process that a bench starts: one server of a subject, or the client that
 * makes the calls. Told by its argument which; then it does what its parent asks, and ends with it.
 */
import { closedLoop } from "./closed-loop.ts";
import type { HostArguments, HostReport, HostRequest } from "./host-messages.ts";
import type { LoadResult } from "./load.ts";
import { Latencies } from "./latencies.ts";
import { openLoop } from "./open-loop.ts";
import type { Caller } from "./subject.ts";
import { loadSubject } from "./subjects.ts";

const { role, subject: name, addresses } = JSON.parse(process.argv[2] ?? "") as HostArguments;
const subject = await loadSubject(name);
let caller: Caller | undefined;
/** Kept: to make room for samples anew would set off a collection in what is measured. */
let latencies: Latencies | undefined;

process.on("disconnect", () => {
  process.exit(0);
});
process.on("message", (request: HostRequest) => {
  void answer(request);
});
if (role === "server") report({ type: "ready", address: await subject.serve(addresses) });
else {
  caller = await subject.connect(addresses);
  report({ type: "ready", address: "" });
}

async function answer(request: HostRequest): Promise<void> {
  switch (request.type) {
    case "processor-time": {
      const { user, system } = process.cpuUsage();
      report({ type: "processor-time", us: user + system });
      return;
    }
    case "run":
      report({ type: "result", result: await run(request) });
      return;
    case "end":
      // Not `process.exit` from a signal: profiles are written on a regular end only.
      process.exit(0);
  }
}

function run({ load, timing }: Extract<HostRequest, { type: "run" }>): Promise<LoadResult> {
  if (caller === undefined) throw new Error("a server makes no calls");
  latencies ??= new Latencies();
  return load.type === "closed"
    ? closedLoop(caller, load, timing, latencies)
    : openLoop(caller, load, timing, latencies);
}

function report(message: HostReport): void {
  process.send?.(message);
}
