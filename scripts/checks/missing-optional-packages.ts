/**
 * `npm ci` refuses a lockfile that leaves out an optional package of *any* platform, and `npm
 * install` leaves out those that the registry at hand did not have (a mirror that keeps only the
 * binaries of its own machines). So a lockfile written here could be refused everywhere else. This
 * finds what is left out, and makes entries that `npm ci` accepts: on machines of another kind npm
 * only reads them, on machines of that kind it asks the registry for the named version.
 */
export interface Lockfile {
  packages: Record<string, LockedPackage>;
}

export interface LockedPackage {
  version?: string;
  resolved?: string;
  integrity?: string;
  dev?: boolean;
  optional?: boolean;
  cpu?: string[];
  os?: string[];
  libc?: string[];
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

const systems = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd"];
const otherSystems = ["openharmony", "sunos", "win32"];
const processors = [
  "arm64",
  "arm",
  "ia32",
  "loong64",
  "mips64el",
  "ppc64",
  "riscv64",
  "s390x",
  "x64",
];

/** Entries by folder that the lockfile should have and has not. Versions must be exact. */
export function missingOptionalPackages(lockfile: Lockfile): Record<string, LockedPackage> {
  const missing: Record<string, LockedPackage> = {};
  for (const [folder, entry] of Object.entries(lockfile.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (isPresent(lockfile, folder, name)) continue;
      missing[`node_modules/${name}`] = {
        version,
        ...(processorOf(name) === undefined ? {} : { cpu: [processorOf(name) ?? ""] }),
        ...(entry.dev === true ? { dev: true } : {}),
        ...(libraryOf(name) === undefined ? {} : { libc: [libraryOf(name) ?? ""] }),
        optional: true,
        ...(systemOf(name) === undefined ? {} : { os: [systemOf(name) ?? ""] }),
      };
    }
  }
  return missing;
}

/** Where Node would look for it, from the folder of the package that wants it upwards. */
function isPresent({ packages }: Lockfile, folder: string, name: string): boolean {
  for (
    let place = folder;
    ;
    place = place.slice(0, Math.max(0, place.lastIndexOf("/node_modules/")))
  ) {
    const wanted = place === "" ? `node_modules/${name}` : `${place}/node_modules/${name}`;
    if (wanted in packages) return true;
    if (place === "") return false;
  }
}

function partsOf(name: string): string[] {
  return name.slice(name.indexOf("/") + 1).split("-");
}

function systemOf(name: string): string | undefined {
  return [...systems, ...otherSystems].find((system) => partsOf(name).includes(system));
}

function processorOf(name: string): string | undefined {
  return processors.find((processor) => partsOf(name).includes(processor));
}

function libraryOf(name: string): string | undefined {
  if (partsOf(name).some((part) => part.startsWith("musl"))) return "musl";
  return partsOf(name).some((part) => part.startsWith("gnu")) ? "glibc" : undefined;
}
