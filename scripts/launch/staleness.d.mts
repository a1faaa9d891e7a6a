/** True when `dist/` is missing or older than a source; false: it is what `tsc -p src` would make. */
export function needsBuild(root: string): boolean;
