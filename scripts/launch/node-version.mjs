/** The oldest Node.js that runs this package, the same as `engines` in package.json. */
const oldestNode = "20.19.0";

/**
 * One line that says what to do when `version` ("18.20.4") is too old, else `undefined`.
 * Nothing here may be newer than what the Nodes that it turns away can parse.
 */
export function nodeVersionProblem(version) {
  if (!isOlder(version, oldestNode)) return undefined;
  return (
    "latticework needs Node.js " +
    oldestNode +
    " or newer and this is " +
    version +
    ": install a newer one (https://nodejs.org, or `nvm install 22`) and run the command again."
  );
}

function isOlder(version, than) {
  const left = version.split(".").map(Number);
  const right = than.split(".").map(Number);
  for (let i = 0; i < right.length; i++) {
    if (left[i] !== right[i]) return left[i] < right[i];
  }
  return false;
}
