/**
 * The least that a replicated call can cost: the client's message goes to a primary, from there to
 * two replicas, and is answered when the first of them has acknowledged it. Batched by the turn like
 * everything else; no state, no names, no errors.
 *
 *     every message  u32 number
 */
import type { WebSocket } from "ws";
import type { Caller, Subject } from "../lib/subject.ts";
import { AnswerRing } from "./answer-ring.ts";
import { FrameWriter } from "./frame-writer.ts";
import { dial, listen, onFrame } from "./sockets.ts";
import { readU32, writeU32 } from "./u32.ts";

const messageBytes = 4;
const replicas = 2;

export const relay: Subject = {
  /** Replicas start first; the last one is the primary. */
  serve: (earlier) => (earlier.length < replicas ? serveReplica() : servePrimary(earlier)),
  async connect(addresses): Promise<Caller> {
    const socket = await dial(addresses.at(-1));
    const writer = new FrameWriter(socket);
    const answers = new AnswerRing();
    eachNumber(socket, (number) => {
      answers.resolve(number, 0);
    });
    return {
      call() {
        writeNumber(writer, answers.next);
        return answers.wait();
      },
    };
  },
};

function serveReplica(): Promise<string> {
  return listen((socket) => {
    const writer = new FrameWriter(socket);
    eachNumber(socket, (number) => {
      writeNumber(writer, number);
    });
  });
}

async function servePrimary(replicaAddresses: readonly string[]): Promise<string> {
  const sockets = await Promise.all(replicaAddresses.map(dial));
  const links = sockets.map((socket) => new FrameWriter(socket));
  return listen((client) => {
    const answers = new FrameWriter(client);
    let acknowledged = -1;
    eachNumber(client, (number) => {
      for (const link of links) writeNumber(link, number);
    });
    for (const socket of sockets) {
      socket.removeAllListeners("message");
      eachNumber(socket, (number) => {
        // Numbers rise, and each replica acknowledges in order.
        if (number <= acknowledged) return;
        acknowledged = number;
        writeNumber(answers, number);
      });
    }
  });
}

function eachNumber(socket: WebSocket, take: (number: number) => void): void {
  onFrame(socket, (frame) => {
    for (let at = 0; at < frame.length; at += messageBytes) take(readU32(frame, at));
  });
}

function writeNumber(writer: FrameWriter, number: number): void {
  writer.reserve(messageBytes);
  writer.end = writeU32(writer.bytes, writer.end, number);
  writer.flushSoon();
}
