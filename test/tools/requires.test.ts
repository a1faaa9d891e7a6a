import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { requires } from "../support/requires.ts";

const { PATH, CHROMIUM_PATH } = process.env;

afterEach(() => {
  restore("PATH", PATH);
  restore("CHROMIUM_PATH", CHROMIUM_PATH);
});

function restore(name: string, value: string | undefined): void {
  if (value === undefined) Reflect.deleteProperty(process.env, name);
  else process.env[name] = value;
}

test("a need that is met asks for no skip", () => {
  process.env["CHROMIUM_PATH"] = process.execPath;
  assert.deepEqual(requires("chromium"), {});
});

test("a need that is not met gives a reason that the runner knows", () => {
  process.env["PATH"] = "";
  restore("CHROMIUM_PATH", undefined);
  assert.match(requires("chromium").skip ?? "", /^needs chromium: no Chromium/);
  assert.match(requires("netns").skip ?? "", /^needs netns: .+/);
});
