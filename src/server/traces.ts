import type { IncomingMessage } from 'node:http'
import type { SessionStore } from '../session/store.ts'
import { wrapStore } from '../session/wrap-store.ts'
import type { StoreKind } from '../stores/registry.ts'
import type { Reply } from './http/reply.ts'

/**
 * The part of `@opentelemetry/api`, version 1, that Keyturn uses. Pass the module itself:
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

/** A context, which holds the current span. */
export interface OtelContext {
  getValue(key: symbol): unknown
  setValue(key: symbol, value: unknown): OtelContext
  deleteValue(key: symbol): OtelContext
}

/** Creates spans. */
export interface OtelTracer {
  startSpan(
    name: string,
    options: { readonly kind: number; readonly attributes: Readonly<Record<string, string | number>> },
    context: OtelContext,
  ): OtelSpan
}

/** A span of a trace. */
export interface OtelSpan {
  isRecording(): boolean
  setAttribute(name: string, value: string | number): unknown
  setStatus(status: { readonly code: number }): unknown
  end(): void
}

/** Creates the trace spans of a server. No attribute contains an id, an address, a token or a secret. */
export interface Traces {
  /** Runs `work` in a span, a child of the client's span (`traceparent`). `nameRoute` returns the route, or null. */
  request(request: IncomingMessage, nameRoute: RouteName, work: () => Promise<Reply | null>): Promise<Reply | null>
  /** The same store, with a span for each call that belongs to a request. `kind` is null if it is unknown. */
  store(store: SessionStore, kind: StoreKind | null): SessionStore
}

type RouteName = () => string | null

/** Creates no spans. */
export const noTraces: Traces = { request: (_request, _nameRoute, work) => work(), store: store => store }

// Values of SpanKind and SpanStatusCode in the API.
const INTERNAL = 0
const SERVER = 1
const CLIENT = 2
const ERROR = 2

/** The methods that appear in spans. Any other text that a client sends is `_OTHER` (semantic conventions). */
const methods: ReadonlySet<string> = new Set([
  'CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE',
])

/** Creates spans with the SDK that the program has registered. */
export function createTraces({ context, propagation, trace }: OpenTelemetry): Traces {
  const tracer = trace.getTracer('keyturn')

  async function request(
    { method = '', headers }: IncomingMessage,
    nameRoute: RouteName,
    work: () => Promise<Reply | null>,
  ): Promise<Reply | null> {
    const route = nameRoute()
    const active = context.active()
    // If Node's HTTP is instrumented, its span is the server span, and has read `traceparent` already.
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
      // Polls and timers that a request has started may outlive it: then they belong to no request, and get no span.
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
  // No description: a driver's message may contain what must not be in a trace (ST-07).
  span.setStatus({ code: ERROR })
}

/** A driver's error code, such as `ECONNREFUSED`, or else the name of the error's class. */
function typeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  return 'code' in error && typeof error.code === 'string' ? error.code.slice(0, 64) : error.name
}
