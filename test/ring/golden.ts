/** What `golden.json` records: 200 keys with their partitions and 20 clusters with their owners. */
import { hash53 } from "../../src/codec/hash53.ts";
import { partitionOf } from "../../src/ring/partition.ts";
import { placementOf } from "../../src/ring/placement.ts";
import type { PlacementMember, PlacementSettings } from "../../src/ring/placement.ts";

interface Cluster {
  readonly members: readonly PlacementMember[];
  readonly settings: PlacementSettings;
}

const functionNames = ["cart", "shop", "airport", "route", "a.b-c_d"];
const keyForms: readonly ((index: number) => string)[] = [
  (index) => `k${String(index)}`,
  (index) => `user-${String(index * 7919)}`,
  (index) => `{tag${String(index)}}/part`,
  (index) => `ключ ${String(index)} é𝄞`,
  (index) => `${"long".repeat(30)}${String(index)}`,
  (index) => `{}${String(index)}`,
  (index) => `open{${String(index)}`,
  (index) => `a/b/${String(index)}`,
];

const keys: readonly (readonly [functionName: string, key: string])[] = Array.from(
  { length: 200 },
  (_, index) => [
    functionNames[index % functionNames.length]!,
    keyForms[index % keyForms.length]!(index),
  ],
);

function cluster(
  count: number,
  name: (index: number) => string,
  more: {
    readonly weight?: (index: number) => number;
    readonly zone?: (index: number) => string;
    readonly settings?: PlacementSettings;
  } = {},
): Cluster {
  const members = Array.from({ length: count }, (_, index) => ({
    id: name(index),
    weight: more.weight?.(index) ?? 1,
    zone: more.zone?.(index) ?? "",
  }));
  return { members, settings: more.settings ?? {} };
}

const local = (index: number): string => `127.0.0.1:${String(7400 + index)}`;
const pod = (index: number): string => `grid-${String(index)}.grid.prod`;
const hostile = ["__proto__", "constructor", "1", "узел", "𝄞", "prototype", "p:1", "n:a"];
const threeZones = (index: number): string => `zone-${String(index % 3)}`;

const clusters: readonly Cluster[] = [
  ...[1, 2, 3, 4, 5, 7, 10, 11, 14, 30, 31].map((count) => cluster(count, local)),
  ...[3, 49, 100].map((count) => cluster(count, pod)),
  cluster(8, (index) => hostile[index]!),
  cluster(9, local, { zone: threeZones }),
  cluster(7, pod, { zone: (index) => (index < 5 ? "big" : "small") }),
  cluster(6, local, { weight: (index) => [0.1, 0.5, 1, 1, 2, 10][index]! }),
  cluster(12, pod, { settings: { partitionCount: 256, replicas: 5, epsilon: 0.1 } }),
  cluster(6, local, { settings: { partitionCount: 64, replicas: 1 }, zone: threeZones }),
];

export interface Golden {
  readonly keys: readonly (readonly [functionName: string, key: string, partition: number])[];
  readonly clusters: readonly {
    readonly members: readonly string[];
    readonly tableId: number;
    /** Hash of all owner indexes. */
    readonly owners: number;
    /**
     * For each key, separated by commas, the owners' indexes among the members sorted by id, the
     * primary first.
     */
    readonly keys: string;
  }[];
}

export function computeGolden(): Golden {
  return {
    keys: keys.map(([name, key]) => [name, key, partitionOf(name, key, 1024)]),
    clusters: clusters.map(({ members, settings }) => {
      const placement = placementOf(members, settings);
      const { owners, replicas, partitionCount } = placement;
      return {
        members: placement.members.map(({ id, weight, zone }) => `${id} ${String(weight)} ${zone}`),
        tableId: placement.tableId,
        owners: hash53(owners.join(" ")),
        keys: keys
          .map(([name, key]) => {
            const start = partitionOf(name, key, partitionCount) * replicas;
            return owners.subarray(start, start + replicas).join(" ");
          })
          .join(","),
      };
    }),
  };
}
