import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Tally } from '../../session/tally.ts'
import type { Drain } from '../drain.ts'
import type { RejectedRequestLog } from '../rejected-requests.ts'
import { probes } from '../router.ts'
import type { Router } from '../router.ts'
import type { ServerSettings } from '../settings.ts'
import type { Traces } from '../traces.ts'
import { allowOnly, replyText } from './reply.ts'
import type { Reply } from './reply.ts'
import { isLocalHostname } from '../../base/loopback.ts'
import { splitAppId } from '../app-id.ts'
import { matchCdiRoute } from '../cdi/route.ts'
import { isConsolePath } from '../console/serve-console.ts'
import { CONSOLE_PATH } from '../../transport/console-port.ts'
import { matchPath } from '../../base/match-path.ts'
import { operations } from '../native/operations.ts'

interface ServiceDependencies {
  readonly settings: ServerSettings
  readonly route: Router
  readonly traces: Traces
  readonly tally: Tally
  readonly refusals: RejectedRequestLog
  readonly drain: Drain
}

/** Clients that reach the server over TLS must use nothing else for a year (HDR-07, RFC 6797). */
const HSTS = 'max-age=31536000'

const probeMethods = allowOnly(['GET', 'HEAD'], replyText(405, 'Method not supported'))

const notLocal = replyText(403, 'Without --api-key, this server answers only programs on its own machine that use a '
  + 'local host name, and no web pages')

/** Handles every request: checks before the router, a trace span around it, metrics and common headers after it. */
export function createHttpService(
  { settings, route, traces, tally, refusals, drain }: ServiceDependencies,
): (request: IncomingMessage, response: ServerResponse) => void {
  const isAccepted = settings.apiKeys.length > 0 ? () => true : isLocalRequest
  // The console has a login of its own, and refuses other origins itself.
  const isOfConsole = (target: string): boolean => (
    settings.console && isConsolePath(target.slice(settings.basePath.length).split('?', 1)[0] ?? '')
  )
  const isHttps = settings.publicOrigin?.startsWith('https:') === true

  const durations = tally.duration('keyturn.http.request.duration')

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedAt = performance.now()
    // Read first: a closed socket has no address any more.
    const from = request.socket.remoteAddress ?? ''
    if (isHttps) response.setHeader('strict-transport-security', HSTS)
    const reply = await answer(request, response)
    if (reply === null) return
    const status = String(reply.status)
    tally.counter('keyturn.http.requests', { status }).value++
    durations.since(startedAt)
    if (reply.status >= 400 && reply.status < 500) refusals.note(reply.status, from)
    if (response.destroyed) return
    // Clients must not reuse the connection of a server that is stopping.
    if (drain.isClosing()) response.setHeader('connection', 'close')
    // RFC 9110 section 8.6: a 204 has none.
    const length = reply.status === 204 ? {} : { 'content-length': Buffer.byteLength(reply.body) }
    response.writeHead(reply.status, { ...reply.headers, ...length })
    response.end(reply.body)
  }

  /** The response; null if the response is a stream, which is already being written. */
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<Reply | null> {
    const target = request.url ?? ''
    if (!isOfConsole(target) && !isAccepted(request)) return notLocal
    // Only a path (origin-form) is accepted. The forms that are for proxies are refused (ADM-03).
    if (!/^\/[!-~]*$/.test(target)) return replyText(400, 'The request target must be a path in ASCII')
    const [whole = '', query = ''] = splitOnce(target)
    // A user id that is not UTF-8 would be decoded as that of another user.
    if (!isDecodable(query)) return replyText(400, 'The query must be percent-encoded UTF-8')
    if (!whole.startsWith(settings.basePath)) return replyText(404, 'Not found')
    const path = whole.slice(settings.basePath.length)
    const work = (): Promise<Reply | null> => route(request, response, path, new URLSearchParams(query))
    // A health check does not keep a server that stops from stopping.
    if (probes.has(path)) return request.method === 'GET' || request.method === 'HEAD' ? work() : probeMethods
    response.once('close', drain.noteRequest())
    return traces.request(request, () => {
      const name = routeName(path)
      return name === null ? null : `${settings.basePath}${name}`
    }, work)
  }

  return (request, response) => void serve(request, response)
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

/**
 * Whether a server without API keys accepts a request. Such a server is for programs on its own machine, but a browser
 * on that machine also runs web pages of others. A request from a web page is refused (ADM-07). So is a request for a
 * host name that is not this machine's: a page's own host name could resolve to this machine (DNS rebinding).
 */
function isLocalRequest({ headers }: IncomingMessage): boolean {
  if (headers.origin !== undefined) return false
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'none' && site !== 'same-origin') return false
  const host = hostname(headers.host ?? '')
  return host !== null && isLocalHostname(host)
}

function hostname(host: string): string | null {
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : null
}

/** The pattern of a path, without the ids in it: `/v1/sessions/{handle}`. null: no such path is served. */
export function routeName(path: string): string | null {
  if (isConsolePath(path)) return CONSOLE_PATH
  const { rest } = splitAppId(path)
  // `/v1/sessions/revoke` is not the session of the handle `revoke`.
  const operation = operations.find(({ path: literal }) => literal === rest)
    ?? operations.find(({ path: pattern }) => matchPath(pattern, rest) !== null)
  if (operation !== undefined) return operation.path
  const route = matchCdiRoute(path)
  return route === null ? null : route.path || '/'
}
