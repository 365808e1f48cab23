import type { IncomingMessage, ServerResponse } from 'node:http'
import { platform } from '#platform'
import { createHandle } from '../base/handle.ts'
import { checkOptions } from '../base/options.ts'
import type { Milliseconds } from '../base/time.ts'
import { createPolicy } from '../session/policy.ts'
import type { PolicyOptions } from '../session/policy.ts'
import type { SessionStore } from '../session/store.ts'
import { createMemoryStore } from '../stores/memory.ts'
import { createApiKeyCheck } from './api-keys.ts'
import { applicationNameOf } from './app-id.ts'
import { createApp } from './application.ts'
import { isOfThisMachine } from './browser-guard.ts'
import type { App } from './application.ts'
import { handleCoreRequest } from './core-protocol/handle.ts'
import type { CoreProtocolSettings } from './core-protocol/handle.ts'
import { createMadeApps } from './core-protocol/made-apps.ts'
import { httpLimits, listen } from './http/listen.ts'
import type { Listener } from './http/listen.ts'
import { allowOnly, challenge, text } from './http/reply.ts'
import type { Reply } from './http/reply.ts'
import { createLogger, limitFields } from './log.ts'
import { handleNativeRequest, isNativePath } from './native/handle.ts'
import { problem } from './native/handlers.ts'
import { createRevocationStreams } from './native/revocations.ts'
import { createMetrics } from './metrics.ts'
import { observeSessions, wordsOf } from './observe.ts'
import { openStore, schemeOf } from './open-store.ts'
import { partRules } from './parts.ts'
import type { ServerParts } from './parts.ts'
import { createRefusalLog } from './refusals.ts'
import { routeName } from './route-name.ts'
import { readOptions } from './settings.ts'
import type { ServerSettings } from './settings.ts'
import { warningsOf } from './warnings.ts'
import { createTraces, noTraces } from './traces.ts'

/** A running server. */
export interface KeyturnServer {
  /** `http://host:port`. */
  readonly url: string
  /** Answers what is under way, takes nothing new, then closes the stores. */
  close(): Promise<void>
}

/** Callers of a server behind TLS are to use nothing else for a year (HDR-07, RFC 6797). */
const HSTS = 'max-age=31536000'

const probesAreRead = allowOnly(['GET', 'HEAD'], text(405, 'Method not supported'))

const pagesRefused = text(403, 'Without --api-key only programs of this machine are served: no web page, no other name')

/** What machines ask every few seconds: not worth a span. */
const probes: ReadonlySet<string> = new Set(['/health/live', '/health/ready', '/metrics'])

/** How long a store may take to show that it is there. */
const READY_LIMIT: Milliseconds = 2000

/**
 * Starts a server: opens the stores, makes sure that there are keys, and listens.
 * @throws GeneralError that says what to fix; the system's error if the address can not be had.
 * @example
 * const server = await startServer({ store: 'sqlite:keyturn.db', port: 3567 })
 */
export async function startServer(
  options: Partial<ServerSettings> = {},
  parts: ServerParts = {},
): Promise<KeyturnServer> {
  const settings = readOptions(options)
  checkOptions('startServer', partRules, parts)
  const { crypto, schedule } = platform
  const clock = parts.clock ?? platform.clock
  const logger = parts.logger === undefined
    ? createLogger(settings.logLevel, clock, line => process.stdout.write(line))
    : limitFields(parts.logger)
  for (const words of warningsOf(settings)) logger.warn({}, words)
  const traces = parts.openTelemetry === undefined ? noTraces : createTraces(parts.openTelemetry)
  const metrics = createMetrics()
  const refusals = createRefusalLog(logger, schedule)
  const isAllowed = createApiKeyCheck(settings.apiKeys)
  const policyOptions: PolicyOptions = {
    accessTokenLifetime: settings.accessTokenValidity,
    idleTimeout: settings.refreshTokenValidity,
    keyRotationInterval: settings.keyRotationInterval,
    ...settings.reuseInterval === null ? {} : { reuseInterval: settings.reuseInterval },
    ...settings.sessionLifetime === null ? {} : { absoluteTimeout: settings.sessionLifetime },
    ...settings.maxSessionsPerUser === null ? {} : { maxSessionsPerUser: settings.maxSessionsPerUser },
  }
  const open = async (appId: string): Promise<SessionStore> => parts.openStore === undefined
    ? traces.store(await openStore(settings.store, { appId, migrate: settings.migrate }), schemeOf(settings.store))
    : traces.store(await parts.openStore(appId), null)
  const events = observeSessions(logger, metrics, crypto.randomBytes(32))

  const appIds = ['public', ...settings.apps]
  const issuer = settings.issuer ?? `${settings.publicOrigin ?? `http://${settings.host}:${settings.port}`}${settings.basePath}`
  const apps = new Map<string, App>()
  const closeApps = async (): Promise<void> => {
    for (const app of apps.values()) await app.close()
  }
  async function startApp(appId: string, store: SessionStore, options: PolicyOptions): Promise<App> {
    const app = createApp({
      issuer: `${issuer}${appId === 'public' ? '' : `/appid-${appId}`}`,
      application: { name: applicationNameOf(appId), audience: settings.audience },
      store, crypto, clock, schedule, events,
      followStoreTime: parts.clock === undefined,
      policy: createPolicy({ ...policyOptions, ...options }),
      entropy: crypto.randomBytes,
      secrets: settings.secrets,
    })
    try {
      await app.keys.current()
    } catch (error) {
      await app.close()
      throw error
    }
    app.housekeeping.start()
    // Keys that are removed elsewhere are refused as soon as the change log tells of them.
    await app.feed.start()
    return app
  }
  // Without API keys this is a machine's own server. What is made there by a call is for tests, and lives in memory.
  const madeApps = settings.apiKeys.length > 0 ? null : createMadeApps({
    apps,
    fixed: new Set(appIds),
    async open(appId, options) {
      logger.warn({}, 'an application was made whose sessions end with the server: --app is for those that stay')
      return startApp(appId, createMemoryStore(), options)
    },
  })
  const core: CoreProtocolSettings = {
    basePath: '',
    apps, madeApps,
    tenants: settings.tenants === null ? null : new Set(settings.tenants),
    isAllowed: (request, appId) => madeApps === null ? isAllowed(request) : madeApps.isAllowed(request, appId),
    maxBodyBytes: settings.maxBodyBytes,
    onError(error) {
      metrics.count('keyturn_errors_total')
      logger.error({ error: wordsOf(error) }, 'a request failed')
    },
  }

  const mayAsk = settings.apiKeys.length > 0 ? () => true : isOfThisMachine
  const isHttps = settings.publicOrigin?.startsWith('https:') === true
  const streams = createRevocationStreams(core.onError)
  let listener: Listener
  let isClosing = false
  try {
    for (const appId of appIds) {
      apps.set(appId, await startApp(appId, await open(appId), {}))
    }
    const limits = { ...httpLimits, maxConnections: settings.maxConnections, ...parts.limits }
    listener = await listen(settings.host, settings.port, limits, (request, response) => void serve(request, response))
  } catch (error) {
    await closeApps()
    throw error
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedAt = performance.now()
    // A socket that is gone has no address any more.
    const from = request.socket.remoteAddress ?? ''
    if (isHttps) response.setHeader('strict-transport-security', HSTS)
    const reply = await answer(request, response)
    if (reply === null) return
    const status = String(reply.status)
    metrics.count('keyturn_http_requests_total', { status })
    metrics.observe('keyturn_http_request_duration_seconds', (performance.now() - startedAt) / 1000)
    if (reply.status >= 400 && reply.status < 500) refusals.note(reply.status, from)
    if (response.destroyed) return
    // Whoever holds a connection is told not to use it again.
    if (isClosing) response.setHeader('connection', 'close')
    response.writeHead(reply.status, { ...reply.headers, 'content-length': Buffer.byteLength(reply.body) })
    response.end(reply.body)
  }

  /** The answer, or null if the request has got a stream instead. */
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<Reply | null> {
    if (!mayAsk(request)) return pagesRefused
    const target = request.url ?? ''
    // Only the ordinary form of a target: what a proxy would be sent is refused (ADM-03).
    if (!/^\/[!-~]*$/.test(target)) return text(400, 'The request target is not supported')
    const [whole = '', query = ''] = splitOnce(target)
    // What is not UTF-8 would be read as another user's id.
    if (!isDecodable(query)) return text(400, 'The query is not UTF-8 in percent-encoding')
    if (!whole.startsWith(settings.basePath)) return text(404, 'Not found')
    const path = whole.slice(settings.basePath.length)
    const work = (): Promise<Reply | null> => replyTo(request, response, path, query)
    if (probes.has(path)) return request.method === 'GET' || request.method === 'HEAD' ? work() : probesAreRead
    return traces.request(request, () => {
      const name = routeName(path)
      return name === null ? null : `${settings.basePath}${name}`
    }, work)
  }

  async function replyTo(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    query: string,
  ): Promise<Reply | null> {
    try {
      switch (path) {
        case '/health/live':
          return text(200, 'live', { 'content-type': 'text/plain; charset=utf-8' })
        case '/health/ready':
          return await ready()
        case '/metrics':
          return isAllowed(request)
            ? text(200, metrics.write().trimEnd(), { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
            : challenge(text(401, 'Invalid API key'))
        default:
          return isNativePath(path)
            ? await replyNatively(request, response, path, new URLSearchParams(query))
            : await handleCoreRequest(request, path, new URLSearchParams(query), core)
      }
    } catch (error) {
      core.onError(error)
      return text(500, 'The server could not do its work')
    }
  }

  async function replyNatively(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    query: URLSearchParams,
  ): Promise<Reply | null> {
    const outcome = await handleNativeRequest(request, path, query, core)
    if (!('stream' in outcome)) return outcome
    const isServed = !isClosing && streams.serve(outcome.stream, request, response)
    return isServed ? null : problem(503, 'unavailable', 'There are too many streams.')
  }

  /** Whether requests can be served: not closing, and every store answers. */
  async function ready(): Promise<Reply> {
    const plain = { 'content-type': 'text/plain; charset=utf-8' }
    if (isClosing) return text(503, 'closing', plain)
    const asked = [...apps.values()].map(async app => {
      await app.keys.current()
      await app.store.find(createHandle('header', crypto.randomBytes))
    })
    const answer = await within(Promise.all(asked).then(() => true, () => false), READY_LIMIT)
    return answer ? text(200, 'ready', plain) : text(503, 'the store does not answer', plain)
  }

  logger.info({ url: listener.url, ...settings.apiKeys.length === 0 ? { apiKeys: 'none' } : {} }, 'listening')
  return {
    url: `${listener.url}${settings.basePath}`,
    async close() {
      if (isClosing) return
      isClosing = true
      logger.info({}, 'closing')
      await streams.close()
      await listener.close(settings.shutdownTimeout * 1000)
      refusals.flush()
      await madeApps?.close()
      await closeApps()
      logger.info({}, 'closed')
    },
  }
}

function splitOnce(target: string): readonly string[] {
  const mark = target.indexOf('?')
  return mark < 0 ? [target] : [target.slice(0, mark), target.slice(mark + 1)]
}

function isDecodable(query: string): boolean {
  try {
    decodeURIComponent(query)
    return true
  } catch {
    return false
  }
}

async function within(answer: Promise<boolean>, limit: Milliseconds): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>(resolve => {
    timer = setTimeout(() => resolve(false), limit)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
