import * as wire from '../base/wire.ts'
import type { Answer } from './answer.ts'
import type { Client } from './client.ts'
import { isObject } from './front-token.ts'

/** What the adapter reads and writes of a request of axios. */
export interface AxiosRequest {
  readonly headers: { has(name: string): boolean; set(name: string, value: string): unknown }
  readonly signal?: unknown
  data?: unknown
  withCredentials?: boolean
}

/** What the adapter reads of a response of axios. */
export interface AxiosReply {
  readonly status: number
  readonly headers: object
  readonly request?: unknown
}

/** What the client needs of axios. */
export interface AxiosLike<Request, Reply, Adapters> {
  readonly defaults: { readonly adapter?: Adapters }
  getAdapter(adapters: Adapters | undefined): (request: Request) => Promise<Reply>
  getUri(request: Request): string
}

/**
 * Makes an adapter of axios that carries the session as the client's `fetch` does, and sends as axios would, so that
 * progress events stay. Interceptors see one request and one response.
 * @example
 * const api = axios.create({ adapter: sessionAdapter(client, axios) })
 */
export function sessionAdapter<Request extends AxiosRequest, Reply extends AxiosReply, Adapters>(
  { exchanges }: Pick<Client<object>, 'exchanges'>,
  axios: AxiosLike<Request, Reply, Adapters>,
): (request: Request) => Promise<Reply> {
  const send = axios.getAdapter(axios.defaults.adapter)
  const isCookie = exchanges.mode === 'cookie'

  return async request => {
    const { headers, data } = request
    const hasOwn = headers.has(wire.authMode) || (!isCookie && headers.has(wire.authorization))
    if (hasOwn || !exchanges.isOurs(axios.getUri(request))) return send(request)
    const exchange = await exchanges.begin({ signal: request.signal instanceof AbortSignal ? request.signal : null })

    async function attempt(canRepeat: boolean): Promise<Reply> {
      if (!headers.has(wire.customHeader)) headers.set(wire.customHeader, 'anti-csrf')
      for (const [name, value] of exchange.headers()) headers.set(name, value)
      if (isCookie) request.withCredentials = true
      // What axios was told to take for a failure is thrown, with the answer in it.
      const { reply, failure } = await send(request).then(
        reply => ({ reply, failure: null }),
        (failure: unknown) => ({ reply: null, failure }),
      )
      const answer = answerOf(reply ?? (isObject(failure) ? failure['response'] : null))
      if (answer !== null && await exchange.answered(answer, canRepeat)) return attempt(false)
      if (reply === null) throw failure
      return reply
    }

    return attempt(!isObject(data) || !('getReader' in data || 'pipe' in data))
  }
}

function answerOf(reply: unknown): Answer | null {
  if (!isObject(reply) || typeof reply['status'] !== 'number' || !isObject(reply['headers'])) return null
  const { status, request } = reply
  const headers = new Headers()
  for (const [name, value] of Object.entries(reply['headers'])) if (typeof value === 'string') headers.set(name, value)
  const url = isObject(request) ? request['responseURL'] : ''
  return { status, url: typeof url === 'string' ? url : '', headers }
}
