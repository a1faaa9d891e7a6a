/**
 * The ceiling of a counter over `ws`: a hand-written binary envelope with interned method ids, one
 * message per turn of the event loop in each direction, a map of counters. No routing, deadlines,
 * retries, replication or errors: a real system is measured by how near it comes to this.
 *
 *     call  u32 number · u8 method · u8 length of the key · key        reply  u32 number · u32 value
 */
import type { WebSocket } from "ws";
import type { Caller, Subject } from "../lib/subject.ts";
import { AnswerRing } from "./answer-ring.ts";
import { FrameWriter } from "./frame-writer.ts";
import { dial, listen, onFrame } from "./sockets.ts";
import { readU32, writeU32 } from "./u32.ts";

const increment = 1;
const callHeaderBytes = 6;
const replyBytes = 8;

interface Counter {
  value: number;
}

export const batchedCounter: Subject = {
  serve() {
    const counters = new Map<string, Counter>();
    return listen((socket) => {
      serveCounters(socket, counters);
    });
  },
  async connect([address]): Promise<Caller> {
    const socket = await dial(address);
    const writer = new FrameWriter(socket);
    const answers = new AnswerRing();
    onFrame(socket, (frame) => {
      for (let at = 0; at < frame.length; at += replyBytes) {
        answers.resolve(readU32(frame, at), readU32(frame, at + 4));
      }
    });
    return {
      call(key) {
        writer.reserve(callHeaderBytes + key.length);
        const { bytes } = writer;
        let at = writeU32(bytes, writer.end, answers.next);
        bytes[at++] = increment;
        bytes[at++] = key.length;
        for (let index = 0; index < key.length; index++) bytes[at++] = key.charCodeAt(index);
        writer.end = at;
        writer.flushSoon();
        return answers.wait();
      },
    };
  },
};

function serveCounters(socket: WebSocket, counters: Map<string, Counter>): void {
  const writer = new FrameWriter(socket);
  onFrame(socket, (frame) => {
    for (let at = 0; at < frame.length;) {
      if (frame[at + 4] !== increment) throw new Error("an unknown method");
      const end = at + callHeaderBytes + frame[at + 5]!;
      const key = frame.toString("latin1", at + callHeaderBytes, end);
      let counter = counters.get(key);
      if (counter === undefined) counters.set(key, (counter = { value: 0 }));
      writer.reserve(replyBytes);
      const next = writeU32(writer.bytes, writer.end, readU32(frame, at));
      writer.end = writeU32(writer.bytes, next, ++counter.value);
      at = end;
    }
    writer.flush();
  });
}
