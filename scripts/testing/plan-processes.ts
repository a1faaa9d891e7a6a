/**
 * Which test files share a process. To start one costs a second or two, of loading and compiling the
 * same modules again, more than most files take to run: the files of the folders below run together.
 */

/**
 * Folders whose tests leave the process as they found it and do not mind what ran there before; a
 * row is a process. Rows take about as long as each other, a quarter minute or less, so that they
 * fill what the long files leave of two cores.
 */
const shared = [
  ["client", "platform", "transport"],
  ["codec", "definition", "model", "ring", "routing", "testing", "wire"],
  ["node", "replication"],
  ["docs", "live", "membership"],
  ["examples"],
  ["functions", "state"],
];

/** Files of these folders that need a process of their own. */
const unshared = [
  // Shows what happens before anything has loaded Yjs.
  "test/state/document.test.ts",
];

/** Folders whose tests run for long: they start first, so that two cores end at the same time. */
const longest = ["test/simulation/", "test/cluster/", "test/proof/", "test/package/"];

/** The test files of each process, in the order in which processes start. */
export function planProcesses(files: readonly string[]): string[][] {
  const sharing = files.filter((file) => isIn(file, shared.flat()) && !unshared.includes(file));
  const alone = files.filter((file) => !sharing.includes(file));
  const rows = shared.map((folders) => sharing.filter((file) => isIn(file, folders)));
  return [
    ...alone.sort((a, b) => rank(a) - rank(b)).map((file) => [file]),
    ...rows.filter((row) => row.length > 0),
  ];
}

function isIn(file: string, folders: readonly string[]): boolean {
  return folders.some((folder) => file.startsWith(`test/${folder}/`));
}

function rank(file: string): number {
  const index = longest.findIndex((folder) => file.startsWith(folder));
  return index === -1 ? longest.length : index;
}
