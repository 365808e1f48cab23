import type { IncomingMessage } from 'node:http'
import type { SessionStore } from '../session/store.ts'
import { wrapStore } from '../session/wrap-store.ts'
import type { StoreKind } from '../stores/registry.ts'
import type { Reply } from './http/reply.ts'

/**
 * What is used of `@opentelemetry/api`, version 1. The module itself fits:
 * `import * as openTelemetry from '@opentelemetry/api'`.
 */
export interface OpenTelemetry {
  readonly context: {
    active(): OtelContext
    with<Result>(context: OtelContext, work: () => Result): Result
  }
  readonly propagation: { extract(context: OtelContext, carrier: unknown): OtelContext }
  readonly trace: {
    getTracer(name: string): OtelTracer
    getSpan(context: OtelContext): OtelSpan | undefined
    setSpan(context: OtelContext, span: OtelSpan): OtelContext
  }
}

/** What holds the span that is under way. */
export interface OtelContext {
  getValue(key: symbol): unknown
  setValue(key: symbol, value: unknown): OtelContext
  deleteValue(key: symbol): OtelContext
}

/** Makes spans. */
export interface OtelTracer {
  startSpan(
    name: string,
    options: { readonly kind: number; readonly attributes: Readonly<Record<string, string | number>> },
    context: OtelContext,
  ): OtelSpan
}

/** A piece of work under way. */
export interface OtelSpan {
  isRecording(): boolean
  setAttribute(name: string, value: string | number): unknown
  setStatus(status: { readonly code: number }): unknown
  end(): void
}

/** Makes spans of the work of a server. No attribute holds an id, an address, a token or a secret. */
export interface Traces {
  /** The work on a request, in a span under the caller's (`traceparent`). `nameRoute` says what it is for, or null. */
  request(request: IncomingMessage, nameRoute: RouteName, work: () => Promise<Reply | null>): Promise<Reply | null>
  /** The same store, whose calls on behalf of a request are spans. `kind`: null if it is unknown. */
  store(store: SessionStore, kind: StoreKind | null): SessionStore
}

type RouteName = () => string | null

/** Makes none. */
export const noTraces: Traces = { request: (_request, _nameRoute, work) => work(), store: store => store }

// Of SpanKind and SpanStatusCode in the API.
const INTERNAL = 0
const SERVER = 1
const CLIENT = 2
const ERROR = 2

/** The methods that are told by their name: a caller could send any other (semantic conventions for HTTP). */
const methods: ReadonlySet<string> = new Set([
  'CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE',
])

/** Makes spans with the SDK that the program has registered. */
export function createTraces({ context, propagation, trace }: OpenTelemetry): Traces {
  const tracer = trace.getTracer('keyturn')

  async function request(
    { method = '', headers }: IncomingMessage,
    nameRoute: RouteName,
    work: () => Promise<Reply | null>,
  ): Promise<Reply | null> {
    const route = nameRoute()
    const active = context.active()
    // Where HTTP is instrumented, its span is the server's and has read the header already.
    const isInside = trace.getSpan(active) !== undefined
    const parent = isInside ? active : propagation.extract(active, headers)
    const known = methods.has(method) ? method : '_OTHER'
    const verb = known === '_OTHER' ? 'HTTP' : known
    const span = tracer.startSpan(route === null ? verb : `${verb} ${route}`, {
      kind: isInside ? INTERNAL : SERVER,
      attributes: {
        'http.request.method': known, 'url.scheme': 'http', ...route === null ? {} : { 'http.route': route },
      },
    }, parent)
    try {
      const reply = await context.with(trace.setSpan(parent, span), work)
      const status = reply?.status ?? 200
      span.setAttribute('http.response.status_code', status)
      if (status >= 500) fail(span, String(status))
      return reply
    } finally {
      span.end()
    }
  }

  function store(inner: SessionStore, kind: StoreKind | null): SessionStore {
    const system = kind === null ? {} : { 'db.system.name': kind.system }
    return wrapStore((operation, call) => async (...input) => {
      const parent = context.active()
      // What a request has set off may outlive it: polls and timers are nobody's.
      if (trace.getSpan(parent)?.isRecording() !== true) return call(inner, ...input)
      const span = tracer.startSpan(`store ${operation}`, {
        kind: CLIENT,
        attributes: { 'db.operation.name': operation, ...system },
      }, parent)
      try {
        return await context.with(trace.setSpan(parent, span), () => call(inner, ...input))
      } catch (error) {
        fail(span, typeOf(error))
        throw error
      } finally {
        span.end()
      }
    })
  }

  return { request, store }
}

function fail(span: OtelSpan, type: string): void {
  span.setAttribute('error.type', type)
  // Without a description: a driver's words may hold what no trace should (ST-07).
  span.setStatus({ code: ERROR })
}

/** A driver's code, as `ECONNREFUSED`, or else the name of the error's class. */
function typeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  return 'code' in error && typeof error.code === 'string' ? error.code.slice(0, 64) : error.name
}
