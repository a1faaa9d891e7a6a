/** Routing tables, primaries and what clients watch, on the wire. */
import {
  absent,
  bool,
  list,
  milliseconds,
  name,
  oneOf,
  prose,
  struct,
  text,
  varint,
  view,
} from "./field.ts";
import type { FieldsOf } from "./field.ts";
import { errorCodes } from "../model/error.ts";
import { limits } from "../model/limits.ts";
import { keyBytesMax } from "./call-codec.ts";
import { addressBytesMax, nodeIdBytesMax } from "./greeting-fields.ts";
import type {
  CancelMessage,
  CatalogueEntry,
  ChangeMessage,
  PrimariesMessage,
  SnapshotMessage,
  TableMessage,
  UnwatchMessage,
  WatchEndMessage,
  WatchMessage,
} from "./messages.ts";

const membersMax = 65_535;
const partitionsMax = 65_536;
const ownersMax = 64;
const functionsMax = 10_000;
const operationsMax = 1_024;
/** Opaque to clients; a version vector of 64 writers is about 1 KiB. */
const versionBytesMax = 16 * 1024;

const operation = text(limits.nameLengthMax * 3);
const version = text(versionBytesMax);

type Member = TableMessage["members"][number];
type PartitionOwners = TableMessage["owners"][number];
type Lead = PrimariesMessage["entries"][number];

const catalogueEntry = struct<CatalogueEntry>({
  name: operation,
  handlers: list(operation, operationsMax),
  queries: list(operation, operationsMax),
  whenSplit: oneOf(["serve", "refuse"]),
  acks: varint,
  deadlineMs: milliseconds,
  stateless: bool,
});

export const tableFields: FieldsOf<Omit<TableMessage, "type">> = {
  version: varint,
  tableId: varint,
  partitionCount: varint,
  members: list(
    struct<Member>({ id: text(nodeIdBytesMax), address: text(addressBytesMax), boot: varint }),
    membersMax,
  ),
  full: bool,
  owners: list(
    struct<PartitionOwners>({ partition: varint, members: list(varint, ownersMax) }),
    partitionsMax,
  ),
  functions: absent(list(catalogueEntry, functionsMax)),
};

export const primariesFields: FieldsOf<Omit<PrimariesMessage, "type">> = {
  entries: list(struct<Lead>({ partition: varint, term: varint }), partitionsMax),
};

export const cancelFields: FieldsOf<Omit<CancelMessage, "type">> = { id: varint };

export const watchFields: FieldsOf<Omit<WatchMessage, "type">> = {
  id: varint,
  partition: varint,
  functionName: name,
  key: text(keyBytesMax),
  field: name,
  query: bool,
  input: view,
  resume: version,
};

export const unwatchFields: FieldsOf<Omit<UnwatchMessage, "type">> = { id: varint };

export const snapshotFields: FieldsOf<Omit<SnapshotMessage, "type">> = {
  id: varint,
  version,
  degraded: bool,
  value: view,
};

export const changeFields: FieldsOf<Omit<ChangeMessage, "type">> = {
  id: varint,
  base: version,
  version,
  degraded: bool,
  difference: view,
};

export const watchEndFields: FieldsOf<Omit<WatchEndMessage, "type">> = {
  id: varint,
  code: oneOf(errorCodes),
  message: prose,
  primary: name,
};
