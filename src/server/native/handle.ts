import type { IncomingMessage } from 'node:http'
import { isSessionError } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import { splitAppId } from '../app-id.ts'
import type { Application } from '../application.ts'
import { readBytes, readJsonBody } from '../http/read-body.ts'
import { allowOnly, challenge, RejectedRequest, retryLater } from '../http/reply.ts'
import type { Reply } from '../http/reply.ts'
import { isStoreFailure } from '../store-failure.ts'
import type { ServedTenants } from '../tenants.ts'
import { handlers, problem } from './handlers.ts'
import { matchPath } from '../../base/match-path.ts'
import { operations } from './operations.ts'
import type { Operation } from './operations.ts'
import { queryViolation, schemaViolation } from '../../base/json-schema.ts'

/** What the native API needs from the server. */
export interface NativeSettings {
  readonly apps: ReadonlyMap<string, Application>
  readonly tenants: ServedTenants
  isAllowed(request: IncomingMessage, appId: string): boolean
  readonly maxBodyBytes: number
  /** Whether requests must carry an API key. */
  readonly needsKey: boolean
  /** The URL that the paths of an application are below, for its documents. */
  serverUrl(appId: string): string
  /** Called with each error that is answered with 500 or 503. */
  readonly onError: (error: unknown) => void
}

/** The response to a request of the native API, or the application whose revocations are to be streamed. */
export type NativeOutcome = Reply | { readonly stream: Application }

const noKey = challenge(problem(401, 'invalid_api_key', 'A valid API key is missing: send it as api-key or as Bearer.'))
const notFound = problem(404, 'not_found', 'The path does not exist.')
const noSession = problem(404, 'not_found', 'The session does not exist or has ended.')
const noMethod = problem(405, 'method_not_allowed', 'The path does not have this method: see the Allow header.')
const unavailable = retryLater(problem(503, 'unavailable', 'The store does not answer: repeat the request later.'))
const badJson = problem(400, 'invalid_request', 'The body must be a JSON object.')

/** Whether a path belongs to the native API. */
export function isNativePath(path: string): boolean {
  return splitAppId(path).rest.startsWith('/v1/')
}

/** Answers a request of the native API. What the table of operations does not describe is refused (ADM-02, ADM-06). */
export async function handleNativeRequest(
  request: IncomingMessage,
  path: string,
  query: URLSearchParams,
  settings: NativeSettings,
): Promise<NativeOutcome> {
  const { appId, rest } = splitAppId(path)
  if (!settings.isAllowed(request, appId)) return noKey
  const app = settings.apps.get(appId)
  if (app === undefined) return notFound
  const matching = operations.map(operation => ({ operation, parameters: matchPath(operation.path, rest) }))
    .filter(({ parameters }) => parameters !== null)
  // `/v1/sessions/refresh` is not the session of the handle `refresh`.
  const literal = matching.filter(({ operation }) => operation.path === rest)
  const found = literal.length > 0 ? literal : matching
  const chosen = found.find(({ operation }) => operation.method === request.method)
  if (found.length === 0) return notFound
  if (chosen === undefined) return allowOnly(found.map(({ operation }) => operation.method), noMethod)
  const { operation, parameters } = chosen
  try {
    validateQuery(operation, query)
    const body = await readBody(request, operation, settings.maxBodyBytes)
    if (operation.id === 'followRevocations') return { stream: app }
    return await handlers[operation.id]({
      app, parameters: parameters ?? {}, query, body, tenants: settings.tenants, needsKey: settings.needsKey,
      serverUrl: settings.serverUrl(appId),
    })
  } catch (error) {
    if (error instanceof RejectedRequest) return toProblem(error.reply)
    if (isSessionError(error) && error.code === 'SESSION_NOT_FOUND') return noSession
    if (isSessionError(error) && error.code === 'UNAUTHORIZED') return problem(401, 'unauthorized', error.message)
    if (isSessionError(error) && error.code === 'INVALID_DATA') return problem(400, 'invalid_request', error.message)
    if (isSessionError(error) && error.code === 'REFRESH_BUSY') return busy(error.retryAfter)
    settings.onError(error)
    if (isStoreFailure(error)) return unavailable
    return problem(500, 'server_error', 'The request failed; the log of the server has the reason.')
  }
}

/**
 * Refuses unknown and repeated parameters if the operation describes its query: with an `except` that is not read, the
 * request would revoke the session that must stay.
 * @throws RejectedRequest with 400
 */
function validateQuery({ query: known, requiredQuery }: Operation, query: URLSearchParams): void {
  if (known === undefined) return
  const isValid = [...query.keys()].every(name => Object.hasOwn(known, name) && query.getAll(name).length === 1)
  if (isValid) {
    const violation = queryViolation(known, query, requiredQuery)
    if (violation === null) return
    throw new RejectedRequest(problem(400, 'invalid_request', violation))
  }
  const names = Object.keys(known).join(', ')
  const message = names === '' ? 'The query must have no parameters: they are members of the body.'
    : `The query may have only these parameters, each at most once: ${names}.`
  throw new RejectedRequest(problem(400, 'invalid_request', message))
}

async function readBody(request: IncomingMessage, { body }: Operation, limit: number): Promise<JsonObject> {
  if (body === undefined) return {}
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (type !== body.type) {
    throw new RejectedRequest(problem(415, 'invalid_request', `The Content-Type must be ${body.type}.`))
  }
  const value = type === 'application/json'
    ? await readJsonBody(request, limit, badJson)
    : readForm((await readBytes(request, limit)).toString())
  const violation = schemaViolation(body.schema, value)
  if (violation !== null) throw new RejectedRequest(problem(400, 'invalid_request', violation))
  return value
}

function readForm(text: string): JsonObject {
  const seen = new Set<string>()
  const form = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(text)) {
    // A repeated parameter counts as missing (RFC 6749 section 3.1). `getAll` for each of them would be quadratic.
    if (seen.has(name)) form.delete(name)
    else form.set(name, value)
    seen.add(name)
  }
  return Object.fromEntries(form)
}

/** The client must send the same request again after `retryAfter` seconds. */
function busy(retryAfter: number): Reply {
  const message = `An earlier response may still be on the way: send the same request again in ${retryAfter} s.`
  const reply = problem(503, 'refresh_busy', message)
  return { ...reply, headers: { ...reply.headers, 'retry-after': `${retryAfter}` } }
}

/** Refusals of shared code are plain text. In the native API they are JSON, as all its responses. */
function toProblem(reply: Reply): Reply {
  if (reply.headers['content-type']?.startsWith('application/json') === true) return reply
  const { body, headers } = problem(reply.status, 'invalid_request', reply.body.trimEnd())
  return { status: reply.status, body, headers: { ...reply.headers, ...headers } }
}
