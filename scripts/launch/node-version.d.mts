/** One line that says what to do when `version` ("18.20.4") is too old, else `undefined`. */
export function nodeVersionProblem(version: string): string | undefined;
