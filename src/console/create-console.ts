import { isSessionError } from '../base/errors.ts'
import { matchPath } from '../base/match-path.ts'
import { schemaViolation, queryViolation } from '../base/json-schema.ts'
import type { Schema } from '../base/json-schema.ts'
import type { JsonObject } from '../base/json.ts'
import { parseStrictObject, violatedLimitation } from '../base/strict-json.ts'
import type { ConsoleCall, ConsoleHandler } from '../transport/console-port.ts'
import { classifyOrigin } from '../transport/csrf.ts'
import type { OriginPolicy } from '../transport/csrf.ts'
import type { StreamedResponse } from '../transport/exchange.ts'
import { refusalOf, refusals } from './access.ts'
import { consoleHandlers, openHandlers } from './handlers.ts'
import { consoleOperations } from './operations.ts'
import type { ConsoleOperation } from './operations.ts'
import { readBody } from './read-body.ts'
import { ConsoleProblem, answerProblem, answerText, sentenceOf } from './responses.ts'
import { createSampler } from './sampler.ts'
import { createStaticFiles } from './static-files.ts'
import type { ConsoleAccess, ConsoleSubject, Operator } from './subject.ts'

/** An open console, and how to close it. */
export interface OpenedConsole {
  readonly handler: ConsoleHandler
  close(): void
}

/** How much longer than the session data the body of a request may be. */
const BODY_MARGIN = 131_072

/** Opens a console. It measures from now on. */
export function createConsole(subject: ConsoleSubject, access: ConsoleAccess, origins: OriginPolicy): OpenedConsole {
  const { engine, place, schedule, readPackageFile } = subject
  const sampler = createSampler(engine, schedule)
  const readFile = createStaticFiles(readPackageFile)
  const bodyLimit = engine.policy.maxSessionInfoBytes + BODY_MARGIN
  sampler.start()

  async function answer(call: ConsoleCall, path: string): Promise<StreamedResponse> {
    const { method } = call.exchange.request
    if (path === '' || path.startsWith('/api/')) {
      return path === '' ? toDirectory(place.path) : answerApi(call, path.slice('/api'.length))
    }
    if (method === 'GET' || method === 'HEAD') return readFile(path)
    return answerText(405, 'The pages of the console are read with GET.', [['allow', 'GET, HEAD']])
  }

  async function answerApi(call: ConsoleCall, path: string): Promise<StreamedResponse> {
    const { operation, parameters } = findOperation(call.exchange.request.method, path)
    const operator = operation.needs === null ? null : await access.find(call)
    const refusal = refusalOf(operation, {
      origin: classifyOrigin(call.exchange.request, origins), operator,
      hasChangeToken: await hasChangeToken(call, operator),
    })
    if (refusal !== null) return refuse(refusal)
    const query = new URLSearchParams(call.exchange.request.query)
    checkQuery(operation, query)
    const body = await readObject(call, operation, bodyLimit)
    const request = { subject, access, sampler, call, parameters, query, body }
    const { id } = operation
    if (id === 'readLogin' || id === 'logIn') return openHandlers[id](request)
    return operator === null ? refuse('unauthenticated') : consoleHandlers[id]({ ...request, operator })
  }

  async function hasChangeToken({ exchange: { request } }: ConsoleCall, operator: Operator | null): Promise<boolean> {
    const token = request.header('x-console-token')
    if (token === null || operator === null) return false
    return await access.tokens.isAntiCsrfToken(operator.tokenHandle, token) === true
  }

  return {
    handler: {
      async handle(call) {
        const { path } = call.exchange.request
        if (path !== place.path && !path.startsWith(`${place.path}/`)) return null
        try {
          return await answer(call, path.slice(place.path.length))
        } catch (error) {
          return answerError(error)
        }
      },
    },
    close: () => sampler.close(),
  }

  function answerError(error: unknown): StreamedResponse {
    if (error instanceof ConsoleProblem) return error.reply
    if (isSessionError(error)) {
      switch (error.code) {
        case 'SESSION_NOT_FOUND':
          return answerProblem(404, 'not_found',
            'There is no such session: it has expired or was revoked, or never existed.')
        case 'INVALID_DATA': return answerProblem(400, 'invalid_request', sentenceOf(error.message))
        case 'CROSS_SITE_REQUEST': return refuse('foreign_origin')
        case 'UNAUTHORIZED': case 'TRY_REFRESH_TOKEN': case 'TOKEN_THEFT_DETECTED':
          return refuse('unauthenticated')
        case 'STORE_UNAVAILABLE': case 'REFRESH_BUSY':
          engine.emit('onBackgroundError', { during: 'console', error })
          return answerProblem(503, 'unavailable', 'The store does not answer. It is not certain whether a change was '
            + 'made: load the page again when it answers.', { retryAfter: error.retryAfter })
        // No request of the pages causes them.
        case 'INVALID_CLAIMS': case 'MISUSE':
      }
    }
    engine.emit('onBackgroundError', { during: 'console', error })
    return answerProblem(500, 'server_error', 'The request failed. The log of the server, or the listener '
      + 'onBackgroundError, has the reason.')
  }
}

function refuse(code: keyof typeof refusals): StreamedResponse {
  const [status, message] = refusals[code]
  return answerProblem(status, code, message)
}

/**
 * Sends a browser to the same path with a slash, so that the page finds its files. The address is relative: proxies may
 * have removed a part.
 */
function toDirectory(path: string): StreamedResponse {
  const last = path.slice(path.lastIndexOf('/') + 1)
  return answerText(308, 'The console is one slash further.', [['location', `${last}/`]])
}

/** The operation of a request. @throws ConsoleProblem if there is none */
function findOperation(method: string, path: string): {
  readonly operation: ConsoleOperation
  readonly parameters: Readonly<Record<string, string>>
} {
  const found = consoleOperations.flatMap(operation => {
    const parameters = matchPath(operation.path, path)
    return parameters === null ? [] : [{ operation, parameters }]
  })
  const chosen = found.find(({ operation }) => operation.method === method)
    ?? found.find(({ operation }) => operation.method === 'GET' && method === 'HEAD')
  if (chosen !== undefined) return chosen
  if (found.length === 0) {
    throw new ConsoleProblem(answerProblem(404, 'not_found', 'The API of the console has no such path.'))
  }
  const allowed = found.map(({ operation }) => operation.method).join(', ')
  const { status, headers, body } = answerProblem(405, 'method_not_allowed', `The path has ${allowed}.`)
  throw new ConsoleProblem({ status, body, headers: [...headers, ['allow', allowed]] })
}

/** @throws ConsoleProblem if the query has an unknown, repeated or invalid parameter */
function checkQuery({ query: known }: ConsoleOperation, query: URLSearchParams): void {
  const odd = [...query.keys()].find(name => !Object.hasOwn(known, name) || query.getAll(name).length > 1)
  const names = Object.keys(known).join(', ') || 'none'
  const violation = odd === undefined ? queryViolation(known, query) ?? lengthViolation(known,
    Object.fromEntries(query))
    : `the query may have only these parameters, each at most once: ${names}`
  if (violation !== null) throw new ConsoleProblem(answerProblem(400, 'invalid_request', sentenceOf(violation)))
}

/** The message about the first text that is too long, or null: the schemas leave lengths to those who use a value. */
function lengthViolation(
  schemas: Readonly<Record<string, Schema>>,
  values: Readonly<Record<string, unknown>>,
): string | null {
  for (const [name, { maxLength = Number.POSITIVE_INFINITY }] of Object.entries(schemas)) {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    // JSON Schema counts characters, not code units.
    if (typeof value === 'string' && value.length > maxLength && [...value].length > maxLength) {
      return `${name} must have at most ${maxLength} characters`
    }
  }
  return null
}

/** Reads the body that an operation has. @throws ConsoleProblem for another one */
async function readObject(call: ConsoleCall, { body: schema }: ConsoleOperation, limit: number): Promise<JsonObject> {
  if (schema === null) return {}
  const type = call.exchange.request.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json') {
    throw new ConsoleProblem(answerProblem(415, 'unsupported_type', 'The Content-Type must be application/json.'))
  }
  const text = await readBody(call.body(), limit)
  if (text === null) {
    throw new ConsoleProblem(answerProblem(413, 'too_large', `The body may have at most ${limit} bytes.`))
  }
  const value = parseStrictObject(text)
  if (value === null) throw new ConsoleProblem(answerProblem(400, 'invalid_request', 'The body must be a JSON object.'))
  const limitation = violatedLimitation(value)
  const violation = limitation === null
    ? schemaViolation(schema, value) ?? lengthViolation(schema.properties ?? {}, value)
    : `the body must have ${limitation}, at any depth`
  if (violation === null) return value
  const [, named = ''] = /^(?:the body must have )?(\w+)/.exec(violation) ?? []
  const field = Object.keys(schema.properties ?? {}).find(name => name === named)
  const place = field === undefined ? {} : { field }
  throw new ConsoleProblem(answerProblem(400, 'invalid_request', sentenceOf(violation), place))
}
