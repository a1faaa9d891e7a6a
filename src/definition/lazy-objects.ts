/**
 * Objects with a method for every name: handles and senders. What is behind a name is asked of one
 * proxy that stands at the end of the prototype chain of *all* objects of a kind. A proxy, or a
 * prototype, of its own for each object would cost microseconds, and make the engine remember a new
 * kind of object for each handle that a program ever makes.
 *
 *     object (its state, the methods asked for) ─▶ members of its kind ─▶ proxy: every other name
 */
import { isLanguageName } from "./names.ts";

export type LazyMethod = (input?: unknown) => unknown;

/** What the objects of a kind have in common. `S` is what tells one from the other. */
export interface LazyKind<S> {
  /** What `String(object)` and inspection show. */
  label(state: S): string;
  /** Members that are there under their own names; each is made when it is read. */
  readonly own: Readonly<Record<string, (state: S) => unknown>>;
  /** The method of any other name. Asked once per object and name. */
  method(state: S, name: string): LazyMethod;
}

/**
 * A function that makes objects of `kind`. They cannot be written to, none of their members is
 * enumerable, and they are not thenable: `then` and what the language itself reads from objects are
 * left alone. A method works when it is taken off its object.
 */
export function lazyObjects<S>(kind: LazyKind<S>): (state: S) => object {
  class Lazy {
    readonly #state: S;
    /** The first method that was asked for; most objects are asked for one. */
    #name = "";
    #method: LazyMethod | undefined = undefined;
    #others: Map<string, LazyMethod> | undefined = undefined;

    constructor(state: S) {
      this.#state = state;
    }

    static stateOf(lazy: Lazy): S {
      return lazy.#state;
    }

    static methodOf(lazy: object, name: string): LazyMethod | undefined {
      // An object that only inherits from one of ours has no state.
      if (!(#state in lazy)) return undefined;
      if (lazy.#name === name && lazy.#method !== undefined) return lazy.#method;
      const known = lazy.#others?.get(name);
      if (known !== undefined) return known;
      const method = kind.method(lazy.#state, name);
      if (lazy.#method === undefined) {
        lazy.#name = name;
        lazy.#method = method;
      } else {
        lazy.#others ??= new Map();
        lazy.#others.set(name, method);
      }
      return method;
    }
  }
  const everyName = new Proxy(Object.create(null) as object, {
    get(_target, name, receiver: object) {
      if (typeof name === "symbol" || name === "then" || isLanguageName(name)) return undefined;
      return Lazy.methodOf(receiver, name);
    },
    set() {
      return false;
    },
  });
  const members = Lazy.prototype as object;
  Reflect.deleteProperty(members, "constructor");
  Object.setPrototypeOf(members, everyName);
  for (const [name, make] of Object.entries(kind.own)) {
    define(members, name, (lazy) => make(Lazy.stateOf(lazy)));
  }
  define(members, "toString", (lazy) => () => kind.label(Lazy.stateOf(lazy)));
  define(members, Symbol.toStringTag, (lazy) => kind.label(Lazy.stateOf(lazy)));
  return (state) => new Lazy(state);

  function define(on: object, name: string | symbol, read: (lazy: Lazy) => unknown): void {
    Object.defineProperty(on, name, {
      get(this: Lazy): unknown {
        return read(this);
      },
    });
  }
}
