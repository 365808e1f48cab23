import type { Awaitable } from '../base/awaitable.ts'
import { callback, required, withDefault } from '../base/options.ts'
import type { RulesFor } from '../base/options.ts'
import type { StreamedResponse, HttpExchange } from './exchange.ts'
import { normalPath, pathRule } from './http-policy.ts'
import type { HttpPolicy } from './http-policy.ts'
import { parseOrigin, webOriginRule } from './trusted-origins.ts'

/** Somebody who uses the console. */
export interface ConsoleOperator {
  /** Who it is: the audit log names it. 1 to 255 characters. */
  readonly name: string
  /** `read` sees everything; `manage` also changes and revokes. */
  readonly role: 'read' | 'manage'
}

/** The options of `sessions.console`. `Request` is the framework's request. */
export interface ConsoleOptions<Request> {
  /**
   * Decides who uses the console, for each of its requests: the operator, or null. It gets what the framework's
   * handlers get. Nothing else protects the console.
   */
  readonly authorize: (request: Request) => Awaitable<ConsoleOperator | null>
  /** The path of the console, as this server receives it. Default: `/console`. */
  readonly path?: string
  /** The origin at which browsers open the console. Default: the option `origin` of `createSessions`. */
  readonly origin?: string
}

/** The path of a console that configures none. */
export const CONSOLE_PATH = '/console'

/** The rules of {@link ConsoleOptions}. */
export const consoleRules: RulesFor<ConsoleOptions<never>> = {
  authorize: required(callback<(request: never) => Awaitable<ConsoleOperator | null>>()),
  path: withDefault(CONSOLE_PATH, pathRule),
  origin: webOriginRule,
}

/** The body of a request: a message of node:http, a web request, or what somebody has made of the body before. */
export type BodySource = MessageBody | WebBody | { readonly parsed: unknown }

/** The part of a message of node:http that has its body. A body parser may have put what it made of it into `body`. */
export interface MessageBody {
  iterator(options: { readonly destroyOnReturn: boolean }): AsyncIterable<Uint8Array>
  resume(): unknown
}

/** The part of a web request that has its body. */
export interface WebBody {
  readonly body: ReadableStream<Uint8Array> | null
}

/** A request to the console, as an adapter shows it. */
export interface ConsoleCall {
  readonly exchange: HttpExchange
  /** Who sent the request; null: nobody who may use the console. */
  readonly authorize: () => Awaitable<ConsoleOperator | null>
  readonly body: () => BodySource
}

/** An open console. */
export interface ConsoleHandler {
  /** Answers a request; null if its path is not the console's. Never rejects. */
  handle(call: ConsoleCall): Promise<StreamedResponse | null>
}

/** Where a console is: its path and the origin of its pages. */
export interface ConsolePlace {
  readonly path: string
  readonly origin: string
}

/** The place that options name, in the sessions with this policy. Pure. */
export function consolePlace<Request>(
  { path = CONSOLE_PATH, origin }: ConsoleOptions<Request>,
  policy: Pick<HttpPolicy, 'origin'>,
): ConsolePlace {
  return { path: normalPath(path), origin: origin === undefined ? policy.origin : parseOrigin(origin) ?? origin }
}

/** Opens the console of these sessions. Its code is loaded by the first call. */
export type OpenConsole = (place: ConsolePlace) => Promise<ConsoleHandler>
