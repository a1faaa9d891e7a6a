/** An awaited plain function that updates a map: what a call inside one process costs at least. */
import type { Caller, Subject } from "../lib/subject.ts";

interface Counter {
  value: number;
}

export const inProcess: Subject = {
  serve: () => Promise.reject(new Error("it has no server")),
  async connect(): Promise<Caller> {
    const counters = new Map<string, Counter>();
    return {
      async call(key) {
        let counter = counters.get(key);
        if (counter === undefined) counters.set(key, (counter = { value: 0 }));
        return ++counter.value;
      },
    };
  },
};
