/**
 * A page of our own in a real browser: Chromium, headless, with an empty profile, on a page that
 * this process serves from loopback and that loads one script.
 */
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { chromium, type Page } from "playwright-core";
import { chromiumPath } from "./chromium-path.ts";

export interface OpenPage extends AsyncDisposable {
  readonly page: Page;
  /** What the page wrote to its console as an error, and what it threw without catching. */
  readonly complaints: readonly string[];
}

/**
 * No `unsafe-eval`: a client that makes code from strings must not need to. Connections go
 * anywhere: whom a page may call is the node's decision, and the tests ask for it.
 */
const policy = "default-src 'none'; script-src 'self'; img-src data:; connect-src *";
/** A name that is not loopback, for pages of strangers; the browser is told where it leads. */
export const strangerHost = "stranger.test";

const browserArgs = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  `--host-resolver-rules=MAP ${strangerHost} 127.0.0.1`,
];

/** Opens a page whose only script is `script`, an ES module file, from `host`. */
export async function openPage(script: string, host = "127.0.0.1"): Promise<OpenPage> {
  const server = await serve(script);
  const { port } = server.address() as AddressInfo;
  const executablePath = chromiumPath();
  if (executablePath === undefined) throw new Error("no Chromium: mark the test with requires()");
  const browser = await chromium.launch({ executablePath, headless: true, args: browserArgs });
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await page.goto(`http://${host}:${String(port)}/`);
  return {
    page,
    complaints,
    async [Symbol.asyncDispose]() {
      await browser.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The script, and the chunks beside it that it loads. */
function serve(script: string): Promise<Server> {
  const folder = path.dirname(script);
  const chunks = new Map(
    readdirSync(folder)
      .filter((name) => name.endsWith(".js"))
      .map((name) => [`/${name}`, readFileSync(path.join(folder, name))]),
  );
  chunks.set("/page.js", readFileSync(script));
  const server = createServer((request, response) => {
    if (request.url === "/") {
      response.setHeader("content-security-policy", policy);
      response.setHeader("content-type", "text/html; charset=utf-8");
      response.end(
        '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>',
      );
      return;
    }
    const chunk = chunks.get(request.url ?? "");
    response.statusCode = chunk === undefined ? 404 : 200;
    response.setHeader("content-type", "text/javascript; charset=utf-8");
    response.end(chunk);
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      resolve(server);
    });
  });
}
