/**
 * The client in a real browser against real nodes. The page has a strict content security policy,
 * and nothing of it may complain on the page's console.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { connect } from "latticework/client";
import { startNode, type Node } from "latticework/node";
import { repositoryRoot } from "../../scripts/checks/source-files.ts";
import { until } from "../../scripts/cluster/until.ts";
import { bundleClient } from "../support/bundle-client.ts";
import { openPage, strangerHost, type OpenPage } from "../support/open-page.ts";
import { requires } from "../support/requires.ts";
import { functions, type Functions } from "./functions.ts";
import type { Stories } from "./page.ts";

const needs = requires("chromium");
const folder = mkdtempSync(path.join(tmpdir(), "latticework-browser-"));
const listen = { port: 0 };
let script = "";
let node: Node<Functions>;
let open: OpenPage;

/** A string and no function: what tsx makes of a function does not run in a page. */
function tell<N extends keyof Stories>(
  name: N,
  ...args: Parameters<Stories[N]>
): Promise<Awaited<ReturnType<Stories[N]>>> {
  return open.page.evaluate(`stories.${name}(...${JSON.stringify(args)})`);
}

before(async () => {
  if (needs.skip !== undefined) return;
  const { entryFile } = await bundleClient({
    entry: path.join(import.meta.dirname, "page.ts"),
    outdir: folder,
    alias: { "latticework/client": path.join(repositoryRoot, "src/entry/client-browser.ts") },
  });
  script = entryFile;
  node = await startNode({ functions, listen, logger: "silent" });
  open = await openPage(script);
});

after(async () => {
  rmSync(folder, { recursive: true, force: true });
  if (needs.skip !== undefined) return;
  await open[Symbol.asyncDispose]();
  await node.leave();
});

test("a page calls functions and gets values, bytes and detailed replies", needs, async () => {
  assert.deepEqual(await tell("calls", node.address), {
    value: 1,
    hops: 1,
    degraded: false,
    bytes: [0, 127, 128, 255],
  });
  assert.equal(await node.get("room", "lobby").count(), 1);
});

test("2,000 calls at once from a page take effect once each", needs, async () => {
  assert.equal(await tell("many", node.address, 2_000), 2_000);
});

test("a page sees what others change", needs, async () => {
  const seen = tell("watch", node.address, "last");
  await until("the page watches", 10_000, () => node.status().watches === 1);
  await using client = await connect<Functions>({ nodes: [node.address] });
  const watched = client.get("room", "watched");
  await watched.say({ from: "node", text: "first" });
  await watched.say({ from: "node", text: "last" });
  const counts = await seen;
  assert.equal(counts[0], 0, "the snapshot comes first");
  assert.equal(counts.at(-1), 2);
  await until("the watch ends with its loop", 10_000, () => node.status().watches === 0);
});

test("every failure reaches a page as an error with a code", needs, async () => {
  assert.deepEqual(await tell("errors", node.address), {
    unknownFunction: { code: "not_found" },
    unknownHandler: { code: "not_found" },
    longKey: { code: "invalid_argument" },
    noValue: { code: "invalid_argument" },
    tooLarge: { code: "too_large" },
    refused: { code: "failed_precondition", data: { from: "page" } },
    thrown: { code: "handler_error" },
    deadline: { code: "deadline_exceeded" },
    stillWorks: 0,
  });
});

test("a page goes on while the node that it called leaves", needs, async () => {
  const nodes: Node<Functions>[] = [];
  for (let n = 0; n < 3; n++) {
    const join = nodes.map(({ address }) => address);
    nodes.push(await startNode({ functions, listen, join, cluster: "leaving", logger: "silent" }));
  }
  try {
    const [first] = nodes;
    assert.ok(first !== undefined);
    const total = tell("steadily", [first.address], 400);
    await until("the page is at work", 10_000, async () => {
      const said = await open.page.evaluate<number>("progress.said");
      return said > 50;
    });
    await first.leave();
    const said = await open.page.evaluate<number>("progress.said");
    assert.ok(said < 400, "the node left while the page was calling");
    assert.equal(await total, 400);
  } finally {
    await Promise.all(nodes.map((each) => each.leave()));
  }
});

test("a node refuses the page of a stranger", needs, async () => {
  await using stranger = await openPage(script, strangerHost);
  const story = `stories.refusal(${JSON.stringify(node.address)})`;
  assert.deepEqual(await stranger.page.evaluate(story), { code: "unavailable" });
  assert.match(stranger.complaints.join("\n"), /Unexpected response code: 403/);
});

test("nothing of this made the page complain", needs, () => {
  assert.deepEqual(open.complaints, []);
});
