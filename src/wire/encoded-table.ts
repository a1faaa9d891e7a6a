/**
 * A routing table as bytes that fit every link. It is the largest message that many clients get
 * alike: a node to which a thousand of them come at once writes it once, and not a thousand times.
 * It holds no names, which each link numbers for itself.
 */
import { ByteWriter } from "../codec/byte-writer.ts";
import { compile } from "./field.ts";
import { linkRules } from "./link-rules.ts";
import { SenderNames } from "./link-names.ts";
import type { TableMessage } from "./messages.ts";
import { tableFields } from "./table-fields.ts";

export interface EncodedTable {
  /** What stands between the length of the message and the next one. */
  readonly payload: Uint8Array;
}

const codec = compile<TableMessage>(tableFields, "table");

/** @throws LatticeError `invalid_argument` for a name that no receiver would take */
export function encodeTable(message: TableMessage): EncodedTable {
  const bytes = new ByteWriter();
  codec.write({ bytes, names: new SenderNames(linkRules["to-client"]) }, message);
  return { payload: bytes.take() };
}
