import type { StreamedResponse } from '../transport/exchange.ts'
import type { ConsoleErrorCode } from './api-types.ts'

type Headers = readonly (readonly [name: string, value: string])[]

/** What a page of the console may do: load its own script, styles and data, and nothing else. */
export const CONTENT_SECURITY_POLICY: string = [
  "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'",
  "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'",
].join('; ')

/** The headers of every response of the console. */
const common: Headers = [
  ['content-security-policy', CONTENT_SECURITY_POLICY],
  ['x-content-type-options', 'nosniff'],
  ['referrer-policy', 'no-referrer'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['cross-origin-opener-policy', 'same-origin'],
  ['x-robots-tag', 'noindex'],
]

/** A text or a stream, of this type. `cache`: its `Cache-Control`. */
export function reply(
  status: number,
  type: string,
  body: StreamedResponse['body'],
  more: Headers = [],
  cache: string = 'no-store',
): StreamedResponse {
  return { status, headers: [['content-type', type], ['cache-control', cache], ...common, ...more], body }
}

/** A response in JSON. */
export function answerJson(value: unknown, status: number = 200, more: Headers = []): StreamedResponse {
  return reply(status, 'application/json; charset=utf-8', JSON.stringify(value), more)
}

/** A text for people. */
export function answerText(status: number, words: string, more: Headers = []): StreamedResponse {
  return reply(status, 'text/plain; charset=utf-8', `${words}\n`, more)
}

/** The response to a change that has no result. */
export const noContent: StreamedResponse = {
  status: 204,
  headers: [['cache-control', 'no-store'], ...common],
  body: '',
}

/** A response with an error. `field`: the member or parameter that is invalid. */
export function answerProblem(
  status: number,
  code: ConsoleErrorCode,
  message: string,
  { field, retryAfter, more = {} }: {
    readonly field?: string
    readonly retryAfter?: number
    readonly more?: object
  } = {},
): StreamedResponse {
  const wait: Headers = retryAfter === undefined ? [] : [['retry-after', String(retryAfter)]]
  return answerJson({ code, message, ...field === undefined ? {} : { field }, ...more }, status, wait)
}

/** Stops the handling of a request. */
export class ConsoleProblem extends Error {
  override readonly name = 'ConsoleProblem'
  readonly reply: StreamedResponse

  constructor(answer: StreamedResponse) {
    super(`the request to the console was refused with ${answer.status}`)
    this.reply = answer
  }
}

/** A message of an error as a sentence. */
export function sentenceOf(message: string): string {
  const first = message.charAt(0).toUpperCase() + message.slice(1)
  return /[.!?]$/.test(first) ? first : `${first}.`
}
