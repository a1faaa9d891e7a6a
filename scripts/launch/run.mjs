/** Child processes that share our terminal. */
import childProcess from "child_process";

const forwarded = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Resolves with `{ code, signal }` when the child has ended. Signals sent to us go to the child,
 * whose answer to them decides when we end; on a terminal Ctrl-C reaches the child by itself.
 */
export function run(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = childProcess.spawn(command, args, Object.assign({ stdio: "inherit" }, options));
    const handlers = forwarded.map((signal) => {
      const handler = () => {
        if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
      };
      process.on(signal, handler);
      return [signal, handler];
    });
    const settle = (end) => {
      for (const [signal, handler] of handlers) process.removeListener(signal, handler);
      end();
    };
    child.once("error", (error) => settle(() => reject(error)));
    child.once("exit", (code, signal) => settle(() => resolve({ code, signal })));
  });
}

/** Ends this process as the child ended, so that a shell or `npm` sees no difference. */
export function endLike(outcome) {
  if (outcome.signal === null) process.exit(outcome.code);
  process.kill(process.pid, outcome.signal);
  // Some signals do not end a process here; the shell's convention then says what happened.
  setTimeout(() => process.exit(1), 1000);
}
