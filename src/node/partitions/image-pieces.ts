/**
 * The image of a partition may be larger than any message: it crosses a link in pieces, each of them
 * short enough to let commits of other partitions pass between them.
 *
 *   base (whole) ──cut──▶ piece 0, piece 1, … piece n with the rest of the base ──join──▶ base (whole)
 *
 * Pieces of one image come in order or not at all. One that misses a predecessor, because a link broke
 * or a newer image took the place of this one, ends its image: it counts as lost, which replication
 * survives like the loss of any message.
 */
import type { PartitionId, ProcessId } from "../../model/ids.ts";
import type {
  CopyImage,
  ImageMessage,
  ImagePiece,
  PartitionMessage,
  ReplicationMessage,
} from "../../wire/replication-messages.ts";

/** Bytes of state in one piece, about: an entity is never cut. */
export const imagePieceBytes = 64 * 1024;
/** More of one image is not put together: beyond this something is wrong with the sender. */
const imagePiecesMax = 65_536;
/** What an entity or a commit costs beside its bytes. */
const itemBytes = 32;

/** Whether this message carries an image. */
export function isImage(message: PartitionMessage): message is ImageMessage {
  return message.type === "base" || message.type === "copy";
}

/** Bytes of an image on the wire, about. */
export function imageBytes({ entities, tail }: Pick<CopyImage, "entities" | "tail">): number {
  let bytes = 0;
  for (const entity of entities) bytes += bytesOfEntity(entity);
  for (const commit of tail) bytes += bytesOfCommit(commit);
  return bytes;
}

/**
 * Cuts what is longer than `pieceBytes`; what is not comes back alone.
 * @param image numbers the images that this process has cut
 */
export function cutImage(
  message: ImageMessage,
  image: number,
  pieceBytes: number,
): readonly (ImageMessage | ImagePiece)[] {
  const { entities, tail } = message.copy;
  if (imageBytes(message.copy) <= pieceBytes) return [message];
  const entityRuns = cutList(entities, bytesOfEntity, pieceBytes);
  const tailRuns = cutList(tail, bytesOfCommit, pieceBytes);
  const contents = [
    ...entityRuns.map((run) => ({ entities: run, tail: [] })),
    ...tailRuns.map((run) => ({ entities: [], tail: run })),
  ];
  const rest: ImageMessage = { ...message, copy: { ...message.copy, entities: [], tail: [] } };
  return contents.map((content, index) => ({
    type: "piece",
    image,
    index,
    ...content,
    rest: index === contents.length - 1 ? rest : undefined,
  }));
}

type Entry = ReplicationMessage["entries"][number];

/** Puts the images together that others send in pieces. */
export class ImageAssembly {
  readonly #begun = new Map<ProcessId, Map<PartitionId, ImagePiece[]>>();

  /** Lets every other message pass; of pieces, returns the whole once the last one is here. */
  take(from: ProcessId, { partition, message }: Entry): PartitionMessage | undefined {
    if (message.type === "piece") return this.#add(from, partition, message);
    // Its sender has given up what it had begun.
    if (isImage(message)) this.#forget(from, partition);
    return message;
  }

  /** The link to this process is gone, and what was under way with it. */
  drop(from: ProcessId): void {
    this.#begun.delete(from);
  }

  #add(from: ProcessId, partition: PartitionId, piece: ImagePiece): ImageMessage | undefined {
    const known = this.#begun.get(from)?.get(partition) ?? [];
    const goesOn = known.length === piece.index && (known[0]?.image ?? piece.image) === piece.image;
    const pieces = goesOn ? known : [];
    if (pieces.length !== piece.index || piece.index >= imagePiecesMax) {
      this.#forget(from, partition);
      return undefined;
    }
    pieces.push(piece);
    if (piece.rest === undefined) {
      this.#keep(from, partition, pieces);
      return undefined;
    }
    this.#forget(from, partition);
    const { copy } = piece.rest;
    const entities = pieces.flatMap((one) => one.entities);
    const tail = pieces.flatMap((one) => one.tail);
    return { ...piece.rest, copy: { ...copy, entities, tail } };
  }

  #keep(from: ProcessId, partition: PartitionId, pieces: ImagePiece[]): void {
    const ofProcess = this.#begun.get(from);
    if (ofProcess === undefined) this.#begun.set(from, new Map([[partition, pieces]]));
    else ofProcess.set(partition, pieces);
  }

  #forget(from: ProcessId, partition: PartitionId): void {
    const ofProcess = this.#begun.get(from);
    ofProcess?.delete(partition);
    if (ofProcess?.size === 0) this.#begun.delete(from);
  }
}

function cutList<T>(items: readonly T[], bytesOf: (item: T) => number, most: number): T[][] {
  const runs: T[][] = [];
  let bytes = Infinity;
  for (const item of items) {
    const own = bytesOf(item);
    if (bytes + own > most) {
      runs.push([]);
      bytes = 0;
    }
    runs.at(-1)!.push(item);
    bytes += own;
  }
  return runs;
}

function bytesOfEntity({ name, image }: CopyImage["entities"][number]): number {
  return itemBytes + name.length + image.byteLength;
}

function bytesOfCommit({ commit }: CopyImage["tail"][number]): number {
  return itemBytes + commit.entity.length + commit.delta.byteLength;
}
