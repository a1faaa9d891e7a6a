/**
 * The floor: 64 bytes there and back, one WebSocket message per call, one connection. Whatever sends
 * one message per call cannot be faster than this.
 */
import type { Caller, Subject } from "../lib/subject.ts";
import { AnswerRing } from "./answer-ring.ts";
import { dial, listen, onFrame, send } from "./sockets.ts";

const messageBytes = 64;

export const rawEcho: Subject = {
  serve: () =>
    listen((socket) => {
      onFrame(socket, (frame) => {
        send(socket, frame);
      });
    }),
  async connect([address]): Promise<Caller> {
    const socket = await dial(address);
    const message = new Uint8Array(messageBytes).fill(7);
    const answers = new AnswerRing();
    let answered = 0;
    // Echoes come in the order of the calls.
    onFrame(socket, () => {
      answers.resolve(answered++, 0);
    });
    return {
      call: () => {
        send(socket, message);
        return answers.wait();
      },
    };
  },
};
