import type { IncomingMessage, ServerResponse } from 'node:http'
import { jitter } from '../base/jitter.ts'
import type { Milliseconds } from '../base/time.ts'
import type { Tally } from '../session/tally.ts'
import { createApiKeyCheck } from './api-keys.ts'
import type { Applications } from './applications.ts'
import type { Drain } from './drain.ts'
import { handleCdiRequest } from './cdi/handle.ts'
import { challenge, replyText } from './http/reply.ts'
import type { Reply } from './http/reply.ts'
import { isConsolePath } from './console/serve-console.ts'
import type { ServerConsole } from './console/serve-console.ts'
import { writeMetrics } from './metrics.ts'
import { handleNativeRequest, isNativePath } from './native/handle.ts'
import { problem } from './native/handlers.ts'
import type { RevocationStreams } from './native/revocations.ts'
import { BODY_MARGIN } from './setting-schema.ts'
import { createProcessMetrics } from './process-metrics.ts'
import type { ServerSettings } from './settings.ts'

/** Answers a request; `path` is without the server's base path. Returns null if the response is a stream. */
export type Router = (
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  query: URLSearchParams,
) => Promise<Reply | null>

interface RouterDependencies {
  readonly settings: ServerSettings
  readonly applications: Applications
  readonly tally: Tally
  readonly streams: RevocationStreams
  readonly drain: Drain
  /** The console; null until it is open, and if the server has none. */
  readonly console: () => ServerConsole | null
  /** Called with each error that is answered with 500 or 503. */
  readonly onError: (error: unknown) => void
}

/** Paths that monitoring requests every few seconds: they get no trace span. */
export const probes: ReadonlySet<string> = new Set(['/health/live', '/health/ready', '/metrics'])

/** When the client of a stream that was refused may try again. */
const STREAM_RETRY: Milliseconds = 30_000

const plain = { 'content-type': 'text/plain; charset=utf-8' }
const prometheus = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }

/** Creates the router: it passes requests to the probes, the native API or CDI. */
export function createRouter(dependencies: RouterDependencies): Router {
  const { settings, applications, tally, streams, drain, console, onError } = dependencies
  const { apps, dynamicApplications, isAllowed } = applications
  const base = `${settings.publicOrigin ?? ''}${settings.basePath}`
  const shared = {
    apps, dynamicApplications, isAllowed, onError,
    needsKey: settings.apiKeys.length > 0,
    isReady: () => applications.isReady(),
    serverUrl: (appId: string) => `${base}${appId === 'public' ? '' : `/appid-${appId}`}` || '/',
    tenants: settings.tenants === null ? null : new Set(settings.tenants),
    maxBodyBytes: settings.maxBodyBytes ?? settings.maxSessionDataBytes + BODY_MARGIN,
  }
  const writeProcessMetrics = createProcessMetrics()
  const mayReadMetrics = createApiKeyCheck(settings.apiKeys)

  async function answer(...[request, response, path, query]: Parameters<Router>): Promise<Reply | null> {
    switch (path) {
      case '/health/live': return replyText(200, 'live', plain)
      case '/health/ready': return ready()
      case '/metrics': return mayReadMetrics(request)
        ? replyText(200, `${writeMetrics(tally, applications.gauges())}${writeProcessMetrics()}`.trimEnd(), prometheus)
        : challenge(replyText(401, 'Invalid API key'))
    }
    if (isConsolePath(path)) {
      const open = console()
      if (open !== null) return open.answer(request, response, path, query)
    }
    if (!isNativePath(path)) return handleCdiRequest(request, path, query, shared)
    const outcome = await handleNativeRequest(request, path, query, shared)
    if (!('stream' in outcome)) return outcome
    const isServed = !drain.isClosing() && streams.serve(outcome.stream, request, response)
    return isServed ? null : noStream()
  }

  /** Answers whether requests can be served: the server is not stopping, and every store answers. */
  async function ready(): Promise<Reply> {
    if (!drain.isReady()) return replyText(503, 'closing', plain)
    if (await applications.isReady()) return replyText(200, 'ready', plain)
    return replyText(503, 'the store does not answer', plain)
  }

  return async (...call) => {
    try {
      return await answer(...call)
    } catch (error) {
      onError(error)
      return replyText(500, 'The request failed; the log of the server has the reason')
    }
  }
}

/** Refuses a stream. Clients that are refused together must not come back together. */
function noStream(): Reply {
  const reply = problem(503, 'unavailable', 'There are too many streams, or the server is stopping.')
  return { ...reply, headers: { ...reply.headers, 'retry-after': `${Math.ceil(jitter(STREAM_RETRY) / 1000)}` } }
}
