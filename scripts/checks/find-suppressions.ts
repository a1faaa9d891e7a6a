/**
 * Comments that switch a tool off. Each is a small debt, so each must say why (`-- reason` for
 * ESLint, words after the directive for the others), must name what it switches off, and their
 * number is printed by `npm run lint`.
 */
export interface Suppression {
  readonly line: number;
  readonly directive: string;
  /** What is wrong with the comment itself; `undefined` when it may stay. */
  readonly problem: string | undefined;
}

interface Directive {
  readonly name: string;
  readonly pattern: RegExp;
  readonly judge: (text: string) => string | undefined;
}

const directives: readonly Directive[] = [
  {
    name: "eslint-disable",
    pattern: /(?:\/\/|\/\*)\s*eslint-disable(?:-next-line|-line)?\b(.*)/,
    judge: (text) => {
      const [rules = "", reason = ""] = text.replace("*/", "").split(/\s-{2,}\s/);
      if (rules.trim() === "") return "name the rules that it switches off";
      return isReason(reason) ? undefined : "say why: `-- reason`";
    },
  },
  {
    name: "@ts-ignore",
    pattern: /(?:\/\/|\/\*)\s*@ts-(?:ignore|nocheck)\b(.*)/,
    judge: () => "use @ts-expect-error, which fails once it is no longer needed",
  },
  {
    name: "@ts-expect-error",
    pattern: /(?:\/\/|\/\*)\s*@ts-expect-error\b(.*)/,
    judge: (text) => (isReason(text.replace(/^[\s:-]+/, "")) ? undefined : "say why, after it"),
  },
  {
    name: "prettier-ignore",
    pattern: /(?:\/\/|\/\*)\s*prettier-ignore\b(.*)/,
    judge: (text) => (isReason(text.replace(/^[\s:-]+/, "")) ? undefined : "say why, after it"),
  },
  {
    name: "c8 ignore",
    pattern: /\/\*\s*(?:c8|v8|istanbul) ignore\b(.*)/,
    judge: () => "test it or delete it",
  },
];

const reasonLengthMin = 8;

function isReason(text: string): boolean {
  return text.replace("*/", "").trim().length >= reasonLengthMin;
}

/** Every suppression in the text of one file, in order. */
export function findSuppressions(text: string): Suppression[] {
  return text.split("\n").flatMap((content, index) =>
    directives.flatMap(({ name, pattern, judge }) => {
      const match = pattern.exec(content);
      if (match === null) return [];
      return [{ line: index + 1, directive: name, problem: judge(match[1] ?? "") }];
    }),
  );
}
