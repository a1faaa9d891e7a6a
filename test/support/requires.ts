/**
 * For tests that need what not every machine has: `test("…", requires("chromium"), async () => …)`
 * is skipped visibly where the need is not met, with a reason that the runner knows, so that
 * `CI_REQUIRE=chromium` turns the skip into a failure.
 */
import { spawnSync } from "node:child_process";
import { chromiumPath } from "./chromium-path.ts";

export type Need = "chromium" | "netns";

/** Options for `test`: empty when all needs are met, else `skip` with the reason. */
export function requires(...needs: readonly Need[]): { skip?: string } {
  for (const need of needs) {
    const missing = checks[need]();
    if (missing !== undefined) return { skip: `needs ${need}: ${missing}` };
  }
  return {};
}

const checks: Readonly<Record<Need, () => string | undefined>> = {
  chromium: () =>
    chromiumPath() === undefined ? "no Chromium or Chrome is on the path" : undefined,
  netns() {
    const { status, error, stderr } = spawnSync("unshare", ["--net", "true"], { encoding: "utf8" });
    if (status === 0) return undefined;
    return error?.message ?? stderr.trim();
  },
};
