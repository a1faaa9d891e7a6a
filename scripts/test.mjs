/**
 * `npm test` in a fresh clone: checks the Node version, installs and builds what is missing, then
 * runs the tests. Plain JavaScript without dependencies, in a dialect that old Nodes parse.
 */
import { launch } from "./launch/launch.mjs";

launch("scripts/test.ts", process.argv.slice(2));
