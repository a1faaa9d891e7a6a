/**
 * The addresses of the entities called lately, in two generations: found in the older one they move
 * to the younger; when the younger is full the older is dropped. Memory stays bounded however many
 * keys are called. A lookup is by function, then by key: a name would have to be made for it.
 */
import { KeyTable, noSlot } from "../../codec/key-table.ts";
import { EntityAddress } from "../../functions/entity-address.ts";
import { splitEntityName, type EntityName } from "../../model/ids.ts";
import { checkKey } from "../../model/names.ts";
import { partitionOf } from "../../ring/partition.ts";
import type { CallMessage } from "../../wire/messages.ts";

type Generation = Map<string, Map<string, EntityAddress>>;

/** Addresses in each of the two generations. */
const generationSize = 16_384;

export class Addresses {
  readonly #partitionCount: number;
  /** The younger ones with short keys, for calls that come in frames. */
  readonly keys = new KeyTable<EntityAddress>();
  #young: Generation = new Map();
  #old: Generation = new Map();
  #youngCount = 0;

  constructor(partitionCount: number) {
    this.#partitionCount = partitionCount;
  }

  /** @throws LatticeError `invalid_argument` for a key that no entity may have. */
  of(functionName: string, key: string): EntityAddress {
    return this.#young.get(functionName)?.get(key) ?? this.#renew(functionName, key);
  }

  /** The address of a call that came in a frame, if its entity was called lately. */
  known(call: CallMessage): EntityAddress | undefined {
    const { functionName, key, keySlot = noSlot } = call;
    const found = keySlot === noSlot ? undefined : this.keys.at(keySlot);
    return found ?? this.#young.get(functionName)?.get(key);
  }

  ofName(name: EntityName): EntityAddress {
    const { functionName, key } = splitEntityName(name);
    return this.of(functionName, key);
  }

  #renew(functionName: string, key: string): EntityAddress {
    const address = this.#old.get(functionName)?.get(key) ?? this.#make(functionName, key);
    if (this.#youngCount >= generationSize) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngCount = 0;
      this.keys.clear();
    }
    this.#youngCount += 1;
    const addresses = this.#young.get(functionName);
    if (addresses === undefined) this.#young.set(functionName, new Map([[key, address]]));
    else addresses.set(key, address);
    this.keys.put(functionName, key, address);
    return address;
  }

  #make(functionName: string, key: string): EntityAddress {
    checkKey(key);
    return new EntityAddress(
      functionName,
      key,
      partitionOf(functionName, key, this.#partitionCount),
    );
  }
}
