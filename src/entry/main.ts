/**
 * `latticework`: what both sides of a call share. Defining functions needs nothing of the grid, so
 * a client, a node and a test import the same small file.
 */
export { defineFunction } from "../definition/define-function.ts";
export { handler } from "../definition/handler.ts";
export { crdt } from "../definition/kinds.ts";
export { pipe } from "../definition/pipe.ts";
export { LatticeError } from "../model/error.ts";

export type { AskHandle } from "../definition/ask-handle.ts";
export type { AskOptions, CallOptions } from "../definition/call-options.ts";
export type { ComputeOptions } from "../definition/compute-options.ts";
export type {
  Caller,
  Fail,
  HandlerContext,
  Log,
  QueryContext,
  RefusalCode,
  StatelessContext,
  StatelessQueryContext,
  Trace,
} from "../definition/contexts.ts";
export type {
  Definition,
  FunctionParts,
  Handlers,
  Queries,
  StatelessHandlers,
  StatelessParts,
  StatelessQueries,
} from "../definition/define-function.ts";
export type {
  AnyFunction,
  FunctionDefinition,
  Functions,
  Operation,
  IsStateless,
  Operations,
  Stateless,
} from "../definition/function-definition.ts";
export type {
  FunctionOptions,
  FunctionSettings,
  StatefulOption,
} from "../definition/function-options.ts";
export type { Handle, HandleOf } from "../definition/handle.ts";
export type { CheckedHandler } from "../definition/handler.ts";
export type {
  Counter,
  CounterKind,
  CounterView,
  Extreme,
  ExtremeKind,
  ExtremeView,
  Flag,
  FlagKind,
  FlagView,
  Kind,
  KindName,
  Live,
  MapKind,
  MapOf,
  MapView,
  Plain,
  Register,
  RegisterKind,
  RegisterView,
  SetKind,
  SetOf,
  SetView,
  Shape,
  Text,
  TextKind,
  TextView,
  ValueMap,
  ValueMapKind,
  View,
} from "../definition/kinds.ts";
export type { Arguments, Result } from "../definition/operation-types.ts";
export type { Fitting, LastOf, Stage } from "../definition/pipe.ts";
export type { Reply } from "../definition/reply.ts";
export type { Sender } from "../definition/sender.ts";
export type { SchemaIssue, SchemaResult, StandardSchema } from "../definition/standard-schema.ts";
export type { Acks, ReaderCount, ReadFrom, WhenSplit } from "../model/acks.ts";
export type { ScheduleOptions, TimerView } from "../definition/timers.ts";
export type { ErrorCode, ErrorDetails } from "../model/error.ts";
export type { Value } from "../model/value.ts";
