/**
 * `npm start` in a fresh clone: checks the Node version, installs and builds what is missing, then
 * starts the cluster. Plain JavaScript without dependencies, in a dialect that old Nodes parse.
 */
import { launch } from "./launch/launch.mjs";

launch("scripts/start-cluster.ts", process.argv.slice(2));
