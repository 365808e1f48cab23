import * as installed from 'axios'
import type { AxiosInstance, AxiosResponse, InternalAxiosRequestConfig } from 'axios'
import { explainOldVersion } from '../base/supported-version.ts'
import * as wire from '../base/wire.ts'
import { platformBase } from './address.ts'
import type { ServerReply } from './server-reply.ts'
import type { Client } from './client.ts'
import { isObject } from './front-token.ts'

/**
 * Adds an interceptor to axios, so that its requests carry the session as the client's `fetch` does. It wraps the
 * adapter and so runs after all other interceptors, in whatever order they were added: they see one request and one
 * response, and none of them can redirect the request afterwards. Addresses are resolved as axios resolves them.
 * Returns a function that removes the interceptor.
 * @throws Error for axios below 1.5
 * @example
 * addSessionInterceptor(axios, client)
 */
export function addSessionInterceptor(
  axios: AxiosInstance,
  { exchanges }: Pick<Client<object>, 'exchanges'>,
): () => void {
  const problem = explainOldVersion('axios', installed.default.VERSION)
  if (problem !== null) throw new Error(problem)
  const number = axios.interceptors.request.use(request => {
    const adapter = request.adapter ?? axios.defaults.adapter ?? []
    request.adapter = async request => {
      // If the application sends this request again, it must pass the interceptor again.
      request.adapter = adapter
      const send = installed.getAdapter(adapter, request)
      const url = exchanges.resolve(uriOf(request), platformBase())
      const isOurs = url !== null && exchanges.isOurs(url) && !hasOwnCredentials(request, exchanges.mode)
      return isOurs ? carry(request, url, () => send(request), exchanges) : send(request)
    }
    return request
  })
  return () => axios.interceptors.request.eject(number)
}

type Exchanges = Client<object>['exchanges']

/** The address of a request as the adapters build it: unlike `getUri` of an instance, they do not use its defaults. */
function uriOf(request: InternalAxiosRequestConfig): string {
  return new installed.Axios({}).getUri(request)
}

function hasOwnCredentials({ headers }: InternalAxiosRequestConfig, mode: Exchanges['mode']): boolean {
  return headers.has(wire.authMode) || (mode === 'header' && headers.has(wire.authorization))
}

async function carry(
  request: InternalAxiosRequestConfig,
  url: string,
  send: () => Promise<AxiosResponse>,
  exchanges: Exchanges,
): Promise<AxiosResponse> {
  const { headers, data, baseURL, params, fetchOptions } = request
  const given = { url: request.url, baseURL, params, fetchOptions }
  const added = new Set<string>()
  const set = (name: string, value: string): void => {
    added.add(name)
    headers.set(name, value)
  }
  const limit = limitOf(request)
  const exchange = await exchanges.begin({ url, signal: limit.signal })

  async function attempt(canRepeat: boolean): Promise<AxiosResponse> {
    if (!headers.has(wire.customHeader)) set(wire.customHeader, 'anti-csrf')
    for (const [name, value] of exchange.headers()) set(name, value)
    if (exchanges.mode === 'cookie') request.withCredentials = true
    const uri = uriOf(request)
    const isExact = /^https?:\/\//i.test(uri) && exchanges.resolve(uri) === url
    // The platform could resolve the address against `<base href>`, or it was changed after `isOurs` checked it.
    if (!isExact) Object.assign(request, { url, baseURL: '', params: undefined })
    // Axios' own `fetch` adapter does not report where a redirect ended.
    request.fetchOptions = { redirect: 'error', ...fetchOptions }
    // For a status that axios treats as a failure, it throws an error that contains the response.
    const { reply, failure } = await send().then(
      reply => ({ reply, failure: null }),
      (failure: unknown) => ({ reply: null, failure }),
    )
    const answer = answerOf(reply ?? (isObject(failure) ? failure['response'] : null))
    if (answer !== null && await exchange.answered(answer, canRepeat)) return attempt(false)
    if (reply === null) throw failure
    return reply
  }

  try {
    return await attempt(!isObject(data) || !('getReader' in data || 'pipe' in data))
  } finally {
    limit.stop()
    // The request is part of the response and of errors, which are logged, and it may be sent again.
    for (const name of added) headers.delete(name)
    Object.assign(request, given)
  }
}

function answerOf(reply: unknown): ServerReply | null {
  if (!isObject(reply) || typeof reply['status'] !== 'number' || !isObject(reply['headers'])) return null
  const { status, request } = reply
  const headers = new Headers()
  for (const [name, value] of Object.entries(reply['headers'])) if (typeof value === 'string') headers.set(name, value)
  return { status, url: addressOf(request), headers, message: async () => messageIn(reply['data']) }
}

/** The member `message` of a body, which axios has parsed or not. */
function messageIn(data: unknown): unknown {
  try {
    const body: unknown = typeof data === 'string' ? JSON.parse(data) : data
    return isObject(body) ? body['message'] : undefined
  } catch {
    return undefined
  }
}

/** A signal that aborts when axios would give the request up: by `timeout`, `signal` or `cancelToken`. */
function limitOf(request: InternalAxiosRequestConfig): { readonly signal: AbortSignal; stop(): void } {
  const { timeout = 0, timeoutErrorMessage, signal, cancelToken } = request
  const controller = new AbortController()
  const cancel = (): void => controller.abort(new installed.CanceledError(undefined, request))
  const { AxiosError } = installed
  const message = timeoutErrorMessage ?? `timeout of ${timeout}ms exceeded`
  const timer = timeout > 0
    ? setTimeout(() => controller.abort(new AxiosError(message, AxiosError.ECONNABORTED, request)), timeout)
    : undefined
  if (signal?.aborted) cancel()
  signal?.addEventListener?.('abort', cancel)
  void cancelToken?.promise.then(reason => controller.abort(reason))
  return {
    signal: controller.signal,
    stop() {
      clearTimeout(timer)
      signal?.removeEventListener?.('abort', cancel)
    },
  }
}

/** The final address of a response, from a browser's request or Node's; empty if neither has it. */
function addressOf(request: unknown): string {
  if (!isObject(request)) return ''
  const { responseURL, res } = request
  const url = responseURL ?? (isObject(res) ? res['responseUrl'] : '')
  return typeof url === 'string' ? url : ''
}
