/**
 * Finds what belongs to a key by the bytes of the key as they lie in a frame. Otherwise every call
 * would make a string of them, hash it, and throw it away.
 *
 *     #index   hash ─▶ place + 1, or 0           open addressing, at most half full
 *     #words   owner, length | key bytes         8 words a place: half a line of a processor's cache
 *     #entries key, value                        2 references a place
 *
 * Places are taken in order, so that what is in use lies close together however large the index is:
 * with ten thousand keys what a lookup costs is the memory that it reaches. Only ASCII keys of at
 * most 28 bytes are kept, and not those that too many others collide with: whoever chooses keys so
 * that they do makes them slow, and no others.
 */
import { finish } from "./murmur3.ts";

const wordsPerPlace = 8;
export const tableKeyBytesMax = (wordsPerPlace - 1) * 4;
const probesMax = 32;
/** So many owners share a word with the length. */
const ownersMax = 0xffff;
const firstPlaces = 64;
/** Not in the table. */
export const noSlot = -1;

export class KeyTable<T> {
  #index = new Int32Array(firstPlaces * 2);
  #words = new Int32Array(firstPlaces * wordsPerPlace);
  #entries: (string | T)[] = [];
  #count = 0;
  /** Slots are never used again: one that was found before `clear` finds nothing after it. */
  #firstSlot = 0;
  /** The key that is looked for, as the words of a place. */
  readonly #wanted = new Int32Array(wordsPerPlace);
  readonly #owners = new Map<string, number>();
  #lastOwner = "";
  #lastOwnerId = -1;

  /**
   * The slot of a key, or `noSlot`.
   *
   * @param owner whose key it is: the name of a function
   */
  find(owner: string, bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    const ownerId = this.#idOf(owner);
    if (length > tableKeyBytesMax || ownerId < 0) return noSlot;
    const wanted = this.#wanted;
    const head = (ownerId << 8) | length;
    wanted[0] = head;
    let count = 1;
    let hash = mix(0, head);
    let at = start;
    for (; at + 4 <= end; at += 4) {
      const low = bytes[at]! | (bytes[at + 1]! << 8);
      const word = low | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      wanted[count] = word;
      count += 1;
      hash = mix(hash, word);
    }
    if (at < end) {
      let word = 0;
      for (let last = end - 1; last >= at; last -= 1) word = (word << 8) | bytes[last]!;
      wanted[count] = word;
      count += 1;
      hash = mix(hash, word);
    }
    const place = this.#placeOf(hash, count);
    return place < 0 ? noSlot : this.#firstSlot + place;
  }

  /** The key in a slot that `find` returned just now: always the same string. */
  keyAt(slot: number): string {
    return this.#entries[(slot - this.#firstSlot) * 2] as string;
  }

  /** What belongs to a slot, unless the table was cleared since it was found. */
  at(slot: number): T | undefined {
    const place = slot - this.#firstSlot;
    return place < 0 || place >= this.#count ? undefined : (this.#entries[place * 2 + 1] as T);
  }

  /** Keeps what belongs to a key that is not here yet, if the key is one that is kept. */
  put(owner: string, key: string, value: T): void {
    const ownerId = this.#newIdOf(owner);
    if (key.length > tableKeyBytesMax || ownerId < 0) return;
    const words = new Int32Array(wordsPerPlace);
    words[0] = (ownerId << 8) | key.length;
    for (let at = 0; at < key.length; at += 1) {
      const code = key.charCodeAt(at);
      if (code > 0x7f) return;
      words[1 + (at >> 2)]! |= code << ((at & 3) * 8);
    }
    if (this.#count * wordsPerPlace === this.#words.length) this.#grow();
    if (!this.#enter(words, this.#count)) return;
    this.#words.set(words, this.#count * wordsPerPlace);
    this.#entries.push(key, value);
    this.#count += 1;
  }

  /** Forgets everything. */
  clear(): void {
    this.#firstSlot += this.#count;
    this.#count = 0;
    this.#entries = [];
    this.#index.fill(0);
    this.#owners.clear();
    this.#lastOwnerId = -1;
  }

  #idOf(owner: string): number {
    if (owner === this.#lastOwner) return this.#lastOwnerId;
    this.#lastOwner = owner;
    this.#lastOwnerId = this.#owners.get(owner) ?? -1;
    return this.#lastOwnerId;
  }

  #newIdOf(owner: string): number {
    const known = this.#idOf(owner);
    if (known >= 0 || this.#owners.size >= ownersMax) return known;
    this.#lastOwnerId = this.#owners.size;
    this.#owners.set(owner, this.#lastOwnerId);
    return this.#lastOwnerId;
  }

  /** @param count words of `#wanted` that matter */
  #placeOf(hash: number, count: number): number {
    const index = this.#index;
    const words = this.#words;
    const wanted = this.#wanted;
    const mask = index.length - 1;
    let at = finish(hash, 0) & mask;
    for (let probe = 0; probe < probesMax; probe += 1) {
      const place = index[at]! - 1;
      if (place < 0) return -1;
      const from = place * wordsPerPlace;
      let same = 0;
      while (same < count && words[from + same] === wanted[same]) same += 1;
      if (same === count) return place;
      at = (at + 1) & mask;
    }
    return -1;
  }

  /** Enters a place into the index; false when too many others are in its way. */
  #enter(words: Int32Array, place: number): boolean {
    const count = 1 + (((words[0]! & 0xff) + 3) >> 2);
    let hash = 0;
    for (let index = 0; index < count; index += 1) hash = mix(hash, words[index]!);
    const mask = this.#index.length - 1;
    let at = finish(hash, 0) & mask;
    for (let probe = 0; probe < probesMax; probe += 1) {
      if (this.#index[at] === 0) {
        this.#index[at] = place + 1;
        return true;
      }
      at = (at + 1) & mask;
    }
    return false;
  }

  #grow(): void {
    const words = this.#words;
    this.#words = new Int32Array(words.length * 2);
    this.#words.set(words);
    this.#index = new Int32Array(this.#index.length * 2);
    for (let place = 0; place < this.#count; place += 1) {
      const from = place * wordsPerPlace;
      // One that finds no place in the new index is not found again, and that is all.
      this.#enter(words.subarray(from, from + wordsPerPlace), place);
    }
  }
}

/** One step of FNV-1a, by words. */
function mix(hash: number, word: number): number {
  return Math.imul(hash ^ word, 0x01000193);
}
