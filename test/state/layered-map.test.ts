import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LayeredMap } from "../../src/state/layered-map.ts";

const writes = fc.array(fc.record({ key: fc.nat(40), remove: fc.boolean(), fork: fc.nat(9) }), {
  maxLength: 200,
});

test("a layered map holds what a plain one holds, and forks do not change what they came from", () => {
  fc.assert(
    fc.property(writes, (script) => {
      let map = new LayeredMap<{ n: number }>();
      const plain = new Map<string, { n: number }>();
      const left: [LayeredMap<{ n: number }>, string][] = [];
      const sorted = (entries: Iterable<[string, { n: number }]>): string =>
        JSON.stringify([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
      script.forEach(({ key, remove, fork }, n) => {
        if (fork === 0) {
          left.push([map, sorted(map)]);
          map = map.fork();
        }
        const name = String(key);
        if (remove) {
          map.delete(name);
          plain.delete(name);
        } else {
          map.set(name, { n });
          plain.set(name, { n });
        }
        assert.equal(map.size, plain.size);
        assert.deepEqual(map.get(name), plain.get(name));
        assert.equal(map.has(name), plain.has(name));
      });
      assert.equal(sorted(map), sorted(plain));
      assert.equal([...map.keys()].length, map.size);
      for (const [old, was] of left) assert.equal(sorted(old), was);
    }),
  );
});
