/** Replication on the wire. Processes repeat, so they travel as slots; entities do not. */
import { MalformedBytes } from "../codec/malformed.ts";
import type { Term } from "../model/term.ts";
import { entityBytesMax } from "./call-codec.ts";
import { bool, float, list, name, optional, struct, text, union, varint, view } from "./field.ts";
import type { Field } from "./field.ts";
import type {
  Commit,
  CommitKind,
  CopyImage,
  ImageBasis,
  ImageMessage,
  ImagePiece,
  Owners,
  PartitionMessage,
  PreviousOwners,
  ReplicationMessage,
  Standing,
  StreamPosition,
  TailCommit,
} from "./replication-messages.ts";

const processesMax = 64;
const previousOwnersMax = 8;
const genesisBytesMax = 512;
/** Lists that only the size of a frame bounds. */
const itemsMax = 1_048_576;

const entity = text(entityBytesMax);
const genesis = text(genesisBytesMax);
const processes = list(name, processesMax);

/** By hand, like `commit`: they are in every delta. */
const term: Field<Term> = {
  bytesMin: 2,
  write(to, value) {
    to.bytes.varint(value.number);
    to.names.write(to.bytes, value.process);
  },
  read(from) {
    return { number: from.bytes.varint(), process: from.names.read(from.bytes) };
  },
};

/** By their place: the first is that of nearly all. */
const kinds: readonly (CommitKind | undefined)[] = [undefined, "begin", "whole", "reap"];

const commit: Field<Commit> = {
  bytesMin: 5,
  write(to, value) {
    entity.write(to, value.entity);
    to.bytes.varint(value.writer);
    to.bytes.varint(value.sequence);
    to.bytes.bytes(value.delta);
    to.bytes.u8(value.kind === undefined ? 0 : kinds.indexOf(value.kind));
  },
  read(from) {
    const { bytes } = from;
    const read = {
      entity: bytes.string(entityBytesMax),
      writer: bytes.varint(),
      sequence: bytes.varint(),
      delta: bytes.bytes(),
    };
    const code = bytes.u8();
    if (code === 0) return read;
    const kind = kinds[code];
    if (kind === undefined) throw new MalformedBytes("has a commit of an unknown kind");
    return { ...read, kind };
  },
};

const commits = list(commit, itemsMax);

const owners: Field<Owners> = struct<Owners>({
  processes,
  position: varint,
  previous: list(struct<PreviousOwners>({ processes, position: varint }), previousOwnersMax),
});

const streamPosition = struct<StreamPosition>({ synced: term, position: varint });

const standing = struct<Standing>({
  promised: optional(term),
  synced: optional(term),
  owners: processes,
  primary: name,
  genesis,
});

const entities = list(
  struct<CopyImage["entities"][number]>({ name: entity, image: view }),
  itemsMax,
);
const tail = list(struct<TailCommit>({ position: varint, commit }), itemsMax);

const copy: Field<CopyImage> = struct<CopyImage>({
  genesis,
  synced: term,
  position: varint,
  committed: varint,
  owners,
  newMark: varint,
  entities,
  tail,
  from: optional(struct<ImageBasis>({ synced: term, position: varint, committed: varint })),
});

type MergedCommit = Extract<PartitionMessage, { readonly type: "merged" }>["commits"][number];
const mergedCommit = struct<MergedCommit>({ entity, writer: varint, sequence: varint });

type Content = NonNullable<Extract<PartitionMessage, { readonly type: "digest" }>["content"]>;
const content = struct<Content>({ share: varint, sum: float });

const imageCodes = {
  copy: { code: 6, fields: { term, copy } },
  base: { code: 7, fields: { term, copy } },
} as const;

const partitionMessage = union<PartitionMessage | ImagePiece>({
  prepare: { code: 1, fields: { term, handover: bool, genesis } },
  promise: {
    code: 2,
    fields: { term, synced: term, position: varint, committed: varint, owners },
  },
  refuse: { code: 3, fields: { term, standing } },
  stale: { code: 4, fields: { standing } },
  fetch: { code: 5, fields: { term, have: streamPosition } },
  ...imageCodes,
  delta: {
    code: 8,
    fields: {
      term,
      position: varint,
      committed: varint,
      commit: optional(commit),
      owners: optional(owners),
    },
  },
  committed: { code: 9, fields: { term, committed: varint } },
  ack: { code: 10, fields: { term, position: varint } },
  need: { code: 11, fields: { term, have: optional(streamPosition) } },
  digest: {
    code: 12,
    fields: { term, position: varint, digest: float, content: optional(content) },
  },
  removed: { code: 13, fields: { term, owners } },
  handover: { code: 14, fields: { term } },
  forked: { code: 15, fields: { commits } },
  merged: { code: 16, fields: { commits: list(mergedCommit, itemsMax) } },
  hello: { code: 17, fields: { standing } },
  piece: {
    code: 18,
    fields: {
      image: varint,
      index: varint,
      entities,
      tail,
      rest: optional(union<ImageMessage>(imageCodes)),
    },
  },
});

type Entry = ReplicationMessage["entries"][number];

export const replicationField: Field<ReplicationMessage> = struct<ReplicationMessage>({
  entries: list(struct<Entry>({ partition: varint, message: partitionMessage }), itemsMax),
});
