import { Axios, getAdapter } from 'axios'
import type { AxiosInstance, AxiosResponse, InternalAxiosRequestConfig } from 'axios'
import * as wire from '../base/wire.ts'
import { platformBase } from './address.ts'
import type { ServerReply } from './server-reply.ts'
import type { Client } from './client.ts'
import { isObject } from './front-token.ts'

/**
 * Adds an interceptor to axios that makes its requests carry the session, as the client's `fetch` does. It acts where
 * axios sends, after all other interceptors in whatever order they were added: they see one request and one response,
 * and nobody after it can turn the request elsewhere. Addresses mean what they mean to axios. Returns how to undo it.
 * @example
 * addSessionInterceptor(axios, client)
 */
export function addSessionInterceptor(
  axios: AxiosInstance,
  { exchanges }: Pick<Client<object>, 'exchanges'>,
): () => void {
  const number = axios.interceptors.request.use(request => {
    const adapter = request.adapter ?? axios.defaults.adapter ?? []
    request.adapter = async request => {
      // An application that sends this request again passes here again.
      request.adapter = adapter
      const send = getAdapter(adapter, request)
      const url = exchanges.resolve(uriOf(request), platformBase())
      const isOurs = url !== null && exchanges.isOurs(url) && !hasOwnCredentials(request, exchanges.mode)
      return isOurs ? carry(request, url, () => send(request), exchanges) : send(request)
    }
    return request
  })
  return () => axios.interceptors.request.eject(number)
}

type Exchanges = Client<object>['exchanges']

/** Where a request goes, as the adapters read it: unlike `getUri` of an instance, they know none of its defaults. */
function uriOf(request: InternalAxiosRequestConfig): string {
  return new Axios({}).getUri(request)
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
  const { headers, data, signal, baseURL, params, fetchOptions } = request
  const given = { url: request.url, baseURL, params, fetchOptions }
  const added = new Set<string>()
  const set = (name: string, value: string): void => {
    added.add(name)
    headers.set(name, value)
  }
  const exchange = await exchanges.begin({ signal: signal instanceof AbortSignal ? signal : null })

  async function attempt(canRepeat: boolean): Promise<AxiosResponse> {
    if (!headers.has(wire.customHeader)) set(wire.customHeader, 'anti-csrf')
    for (const [name, value] of exchange.headers()) set(name, value)
    if (exchanges.mode === 'cookie') request.withCredentials = true
    const uri = uriOf(request)
    const isExact = /^https?:\/\//i.test(uri) && exchanges.resolve(uri) === url
    // What the platform would resolve, perhaps against `<base href>`, or what was changed after it was judged.
    if (!isExact) Object.assign(request, { url, baseURL: '', params: undefined })
    // Axios' own `fetch` adapter does not tell where a redirect ended.
    request.fetchOptions = { redirect: 'error', ...fetchOptions }
    // What axios was told to take for a failure is thrown, with the answer in it.
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
    // The request lives on in the response and in errors, which are logged; and it may be sent again.
    for (const name of added) headers.delete(name)
    Object.assign(request, given)
  }
}

function answerOf(reply: unknown): ServerReply | null {
  if (!isObject(reply) || typeof reply['status'] !== 'number' || !isObject(reply['headers'])) return null
  const { status, request } = reply
  const headers = new Headers()
  for (const [name, value] of Object.entries(reply['headers'])) if (typeof value === 'string') headers.set(name, value)
  return { status, url: addressOf(request), headers }
}

/** Where an answer came from in the end, as a browser's request says, or Node's; empty if neither does. */
function addressOf(request: unknown): string {
  if (!isObject(request)) return ''
  const { responseURL, res } = request
  const url = responseURL ?? (isObject(res) ? res['responseUrl'] : '')
  return typeof url === 'string' ? url : ''
}
