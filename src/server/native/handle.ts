import type { IncomingMessage } from 'node:http'
import { isSessionError } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import { splitAppId } from '../app-id.ts'
import type { Application } from '../application.ts'
import { readBytes, readJsonBody } from '../http/read-body.ts'
import { allowOnly, challenge, RejectedRequest } from '../http/reply.ts'
import type { Reply } from '../http/reply.ts'
import type { ServedTenants } from '../tenants.ts'
import { handlers, problem } from './handlers.ts'
import { matchPath } from './match-path.ts'
import { operations } from './operations.ts'
import type { Operation } from './operations.ts'
import { schemaViolation } from './schema.ts'

/** What the native API needs of the server around it. */
export interface NativeSettings {
  readonly apps: ReadonlyMap<string, Application>
  readonly tenants: ServedTenants
  isAllowed(request: IncomingMessage, appId: string): boolean
  readonly maxBodyBytes: number
  readonly onError: (error: unknown) => void
}

/** A request of the native API is answered, or is to be given a stream. */
export type NativeOutcome = Reply | { readonly stream: Application }

const noKey = challenge(problem(401, 'invalid_api_key', 'A valid API key is needed.'))
const notFound = problem(404, 'not_found', 'There is nothing at this path.')
const noSession = problem(404, 'not_found', 'There is no such session.')
const noMethod = problem(405, 'method_not_allowed', 'This path has no such method.')
const badJson = problem(400, 'invalid_request', 'The body must be a JSON object.')

/** Whether a path is of the native API. */
export function isNativePath(path: string): boolean {
  return splitAppId(path).rest.startsWith('/v1/')
}

/** Answers a request of the native API. What is not described is refused (ADM-02, ADM-06). */
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
  const found = operations.map(operation => ({ operation, parameters: matchPath(operation.path, rest) }))
    .filter(({ parameters }) => parameters !== null)
  const chosen = found.find(({ operation }) => operation.method === request.method)
  if (found.length === 0) return notFound
  if (chosen === undefined) return allowOnly(found.map(({ operation }) => operation.method), noMethod)
  const { operation, parameters } = chosen
  try {
    judgeQuery(operation, query)
    const body = await readBody(request, operation, settings.maxBodyBytes)
    if (operation.id === 'followRevocations') return { stream: app }
    return await handlers[operation.id]({ app, parameters: parameters ?? {}, query, body, tenants: settings.tenants })
  } catch (error) {
    if (error instanceof RejectedRequest) return toProblem(error.reply)
    if (isSessionError(error) && error.code === 'SESSION_NOT_FOUND') return noSession
    if (isSessionError(error) && error.code === 'UNAUTHORIZED') return problem(401, 'unauthorized', error.message)
    if (isSessionError(error) && error.code === 'INVALID_DATA') return problem(400, 'invalid_request', error.message)
    if (isSessionError(error) && error.code === 'REFRESH_BUSY') return busy(error.retryAfter)
    settings.onError(error)
    return problem(500, 'server_error', 'The server could not do its work.')
  }
}

/**
 * Refuses parameters that are not known or came twice, where any are: `exept` would end the session that was to stay.
 * @throws RejectedRequest with 400
 */
function judgeQuery({ query: known }: Operation, query: URLSearchParams): void {
  if (known === undefined) return
  const isFit = [...query.keys()].every(name => Object.hasOwn(known, name) && query.getAll(name).length === 1)
  if (isFit) return
  const words = `The query can have ${Object.keys(known).join(' and ')}, once, and nothing else.`
  throw new RejectedRequest(problem(400, 'invalid_request', words))
}

async function readBody(request: IncomingMessage, { body }: Operation, limit: number): Promise<JsonObject> {
  if (body === undefined) return {}
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (type !== body.type) throw new RejectedRequest(problem(415, 'invalid_request', `The body must be ${body.type}.`))
  const value = type === 'application/json'
    ? await readJsonBody(request, limit, badJson)
    : readForm((await readBytes(request, limit)).toString())
  const words = schemaViolation(body.schema, value)
  if (words !== null) throw new RejectedRequest(problem(400, 'invalid_request', words))
  return value
}

function readForm(text: string): JsonObject {
  const form = new URLSearchParams(text)
  // A parameter that came twice counts for none (RFC 6749 section 3.1).
  return Object.fromEntries([...form].filter(([name]) => form.getAll(name).length === 1))
}

/** The same refresh token is to be presented again in so many seconds. */
function busy(retryAfter: number): Reply {
  const reply = problem(503, 'refresh_busy', `The refresh token cannot be answered yet: try again in ${retryAfter} s.`)
  return { ...reply, headers: { ...reply.headers, 'retry-after': `${retryAfter}` } }
}

/** Refusals from below are told in plain words; here they are JSON as everything else. */
function toProblem(reply: Reply): Reply {
  if (reply.headers['content-type']?.startsWith('application/json') === true) return reply
  const { body, headers } = problem(reply.status, 'invalid_request', reply.body.trimEnd())
  return { status: reply.status, body, headers: { ...reply.headers, ...headers } }
}
