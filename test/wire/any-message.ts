/** Arbitrary messages of every type, within what the wire accepts. */
import { noSlot } from "../../src/codec/key-table.ts";
import fc from "fast-check";
import { errorCodes } from "../../src/model/error.ts";
import type { Term } from "../../src/model/term.ts";
import { isTraceparent } from "../../src/model/traceparent.ts";
import type { MembershipMessage, MemberUpdate } from "../../src/wire/membership-messages.ts";
import type { MessageType } from "../../src/wire/message-codes.ts";
import { replyFlags } from "../../src/wire/messages.ts";
import type { Message, NodeIdentity } from "../../src/wire/messages.ts";
import type {
  Commit,
  CopyImage,
  ImagePiece,
  Owners,
  PartitionMessage,
  Standing,
} from "../../src/wire/replication-messages.ts";

export type MessageOf<T extends MessageType> = Extract<Message, { readonly type: T }>;

const count = fc.oneof(fc.nat(300), fc.maxSafeNat());
const byte = fc.nat(255);
const flag = fc.boolean();
const text = fc.oneof(fc.string({ maxLength: 30 }), fc.string({ unit: "grapheme", maxLength: 20 }));
const name = fc.oneof(
  fc.constantFrom("", "a", "node-1", "127.0.0.1:7400", "__proto__", "x".repeat(200)),
  text,
);
const digits = (length: number): fc.Arbitrary<string> =>
  fc
    .array(fc.nat(15), { minLength: length, maxLength: length })
    .map((all) => all.map((digit) => digit.toString(16)).join(""));
const trace = fc.oneof(
  fc.constant(""),
  fc
    .tuple(digits(32), digits(16), digits(2))
    .map((parts) => `00-${parts.join("-")}`)
    .filter(isTraceparent),
);
const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Uint8Array.from(array));

function listOf<T>(item: fc.Arbitrary<T>): fc.Arbitrary<readonly T[]> {
  return fc.array(item, { maxLength: 5 });
}

function maybe<T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(of, { nil: undefined });
}

function plain<T extends object>(properties: {
  readonly [K in keyof T]: fc.Arbitrary<T[K]>;
}): fc.Arbitrary<T> {
  return fc.record<T>(properties, {
    noNullPrototype: true,
  });
}

/** An object with these properties; those under `optional` may be missing. */
function record<T extends object>(
  required: {
    readonly [K in keyof T as object extends Pick<T, K> ? never : K]: fc.Arbitrary<T[K]>;
  },
  optional: {
    readonly [K in keyof T as object extends Pick<T, K> ? K : never]-?: fc.Arbitrary<
      NonNullable<T[K]>
    >;
  },
): fc.Arbitrary<T> {
  const properties = { ...required, ...optional } as Record<string, fc.Arbitrary<unknown>>;
  return fc.record(properties, {
    requiredKeys: Object.keys(required),
    noNullPrototype: true,
  }) as fc.Arbitrary<T>;
}

const identity: fc.Arbitrary<NodeIdentity> = record<NodeIdentity>(
  {
    id: text,
    boot: count,
    address: text,
    zone: text,
    weight: fc.double(),
    settings: record<NodeIdentity["settings"]>(
      { partitionCount: count, replicas: count, placementVersion: count },
      {},
    ),
  },
  {},
);

const update: fc.Arbitrary<MemberUpdate> = record<MemberUpdate>(
  {
    node: name,
    boot: count,
    refutations: count,
    status: fc.constantFrom("alive", "suspect", "dead", "left"),
    leaving: flag,
    restarts: count,
    resting: flag,
    address: text,
    zone: name,
    weight: fc.double(),
    from: name,
  },
  {},
);

const updates = listOf(update);

const membership: fc.Arbitrary<MembershipMessage> = fc.oneof(
  plain({ type: fc.constant("ping" as const), sequence: count, target: name, updates }),
  plain({
    type: fc.constant("ack" as const),
    sequence: count,
    clock: count,
    clockSettled: flag,
    updates,
  }),
  plain({ type: fc.constant("ping-request" as const), sequence: count, target: name, updates }),
  plain({ type: fc.constant("nack" as const), sequence: count }),
  plain({ type: fc.constant("gossip" as const), updates }),
  plain({ type: fc.constant("digest" as const), digest: fc.double(), reply: flag }),
  plain({ type: fc.constant("state" as const), members: updates, reply: flag }),
  plain({ type: fc.constant("link-lost" as const), node: name, boot: count }),
);

const term: fc.Arbitrary<Term> = record<Term>({ number: count, process: name }, {});
const processes = listOf(name);
const owners: fc.Arbitrary<Owners> = record<Owners>(
  {
    processes,
    position: count,
    previous: listOf(record<Owners["previous"][number]>({ processes, position: count }, {})),
  },
  {},
);
const commit: fc.Arbitrary<Commit> = record<Commit>(
  { entity: text, writer: count, sequence: count, delta: bytes },
  { kind: fc.constantFrom("begin" as const, "whole" as const, "reap" as const) },
);
const standing: fc.Arbitrary<Standing> = record<Standing>(
  { promised: maybe(term), synced: maybe(term), owners: processes, primary: name, genesis: text },
  {},
);
const streamPosition = plain({ synced: term, position: count });
const copyParts = {
  entities: listOf(plain({ name: text, image: bytes })),
  tail: listOf(plain({ position: count, commit })),
};
const copy: fc.Arbitrary<CopyImage> = record<CopyImage>(
  {
    genesis: text,
    synced: term,
    position: count,
    committed: count,
    owners,
    newMark: count,
    ...copyParts,
    from: maybe(plain({ synced: term, position: count, committed: count })),
  },
  {},
);

type AnyOf = PartitionMessage | ImagePiece;
type PartitionMessageOf<T> = Extract<AnyOf, { readonly type: T }>;
type Partitions = {
  readonly [T in AnyOf["type"]]: fc.Arbitrary<Omit<PartitionMessageOf<T>, "type">>;
};

const partitionMessages: Partitions = {
  prepare: plain({ term, handover: flag, genesis: text }),
  promise: plain({ term, synced: term, position: count, committed: count, owners }),
  refuse: plain({ term, standing }),
  stale: plain({ standing }),
  fetch: plain({ term, have: streamPosition }),
  copy: plain({ term, copy }),
  base: plain({ term, copy }),
  delta: plain({
    term,
    position: count,
    committed: count,
    commit: maybe(commit),
    owners: maybe(owners),
  }),
  committed: plain({ term, committed: count }),
  ack: plain({ term, position: count }),
  need: plain({ term, have: maybe(streamPosition) }),
  digest: plain({
    term,
    position: count,
    digest: fc.double(),
    content: maybe(plain({ share: count, sum: fc.double() })),
  }),
  removed: plain({ term, owners }),
  handover: plain({ term }),
  forked: plain({ commits: listOf(commit) }),
  merged: plain({
    commits: listOf(plain({ entity: text, writer: count, sequence: count })),
  }),
  hello: plain({ standing }),
  piece: plain({
    image: count,
    index: count,
    entities: copyParts.entities,
    tail: copyParts.tail,
    rest: maybe(
      fc.oneof(
        plain({ type: fc.constant("base" as const), term, copy }),
        plain({ type: fc.constant("copy" as const), term, copy }),
      ),
    ),
  }),
};

const partitionMessage = fc.oneof(
  ...Object.entries(partitionMessages).map(([type, fields]: [string, fc.Arbitrary<object>]) =>
    fields.map((rest) => ({ type, ...rest }) as AnyOf),
  ),
);

type Fields = { readonly [T in MessageType]: fc.Arbitrary<Omit<MessageOf<T>, "type">> };

const mark = plain({ term: plain({ number: count, process: name }), position: count });

/** One of them says whether there are marks. */
function flagsOf({ flags, seen }: Omit<MessageOf<"reply">, "type">): number {
  return seen === undefined ? flags & ~replyFlags.seen : flags | replyFlags.seen;
}

const fields: Fields = {
  hello: record<Omit<MessageOf<"hello">, "type">>(
    {
      protocolMin: count,
      protocolMax: count,
      features: listOf(text),
      channel: fc.constantFrom("control", "data", "bulk"),
      cluster: text,
    },
    { node: identity },
  ),
  welcome: plain({ protocol: count, features: listOf(text), cluster: text, node: identity }),
  refused: record<Omit<MessageOf<"refused">, "type">>(
    { code: fc.constantFrom("settings_mismatch", "same_node", "malformed"), message: text },
    { rememberedBoot: count },
  ),
  goodbye: plain({ reason: fc.constantFrom("leaving", "duplicate_link", "idle", "closed") }),
  echo: plain({ reply: flag }),
  call: plain({
    id: count,
    partition: count,
    tableId: fc.nat(0xffffffff),
    hop: byte,
    functionName: name,
    key: text,
    operation: name,
    caller: name,
    number: count,
    received: count,
    timeoutMs: count,
    acks: byte,
    flags: fc.nat(8191),
    ageTime: count,
    ageId: text,
    keySlot: fc.constant(noSlot),
    chain: listOf(text),
    seen: maybe(mark),
    trace,
    input: bytes,
  }),
  reply: plain({
    id: count,
    flags: byte,
    copies: byte,
    hops: byte,
    node: name,
    seen: maybe(listOf(plain({ partition: count, mark }))),
    value: bytes,
  }).map((reply) => ({ ...reply, flags: flagsOf(reply) })),
  failure: plain({
    id: count,
    code: fc.constantFrom(...errorCodes, "degraded_offered" as const),
    message: text,
    indeterminate: flag,
    retryAfterMs: count,
    node: name,
    primary: name,
    call: text,
    data: bytes,
  }),
  cancel: plain({ id: count }),
  table: record<Omit<MessageOf<"table">, "type">>(
    {
      version: count,
      tableId: count,
      partitionCount: count,
      members: listOf(plain({ id: text, address: text, boot: count })),
      full: flag,
      owners: listOf(plain({ partition: count, members: listOf(count) })),
    },
    {
      functions: listOf(
        plain({
          name: text,
          handlers: listOf(text),
          queries: listOf(text),
          whenSplit: fc.constantFrom("serve" as const, "refuse" as const),
          acks: count,
          deadlineMs: count,
          stateless: flag,
        }),
      ),
    },
  ),
  primaries: plain({ entries: listOf(plain({ partition: count, term: count })) }),
  watch: plain({
    id: count,
    partition: count,
    functionName: name,
    key: text,
    field: name,
    query: flag,
    input: bytes,
    resume: text,
  }),
  unwatch: plain({ id: count }),
  snapshot: plain({ id: count, version: text, degraded: flag, value: bytes }),
  change: plain({ id: count, base: text, version: text, degraded: flag, difference: bytes }),
  "watch-end": plain({
    id: count,
    code: fc.constantFrom(...errorCodes),
    message: text,
    primary: name,
  }),
  membership: plain({ message: membership }),
  replication: plain({
    from: name,
    to: name,
    message: plain({
      entries: listOf(plain({ partition: count, message: partitionMessage })),
    }),
  }),
};

export const messageTypes = Object.keys(fields) as readonly MessageType[];

export function anyMessageOf(type: MessageType): fc.Arbitrary<Message> {
  const rest: fc.Arbitrary<object> = fields[type];
  return rest.map((properties) => ({ type, ...properties }) as Message);
}

/** All that may follow a hand shake between nodes. */
export const anyMessage: fc.Arbitrary<Message> = fc.oneof(
  ...messageTypes.filter((type) => type !== "hello" && type !== "welcome").map(anyMessageOf),
);
