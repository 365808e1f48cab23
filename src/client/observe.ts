import type { Client } from './client.ts'
import { internalsOf } from './internals.ts'
import type { SessionView } from './session.ts'

/** What a request is for: the application, or the client's own work. */
export type RequestKind = 'application' | 'refresh' | 'sign-out'

/** One request of the client; the same members in each event about it. */
export interface ObservedRequest {
  /** Counts the requests of this client. */
  readonly id: number
  /** Whose request it is: the application's, or one of the client's own. */
  readonly kind: RequestKind
  /** The method of HTTP. */
  readonly method: string
  /** The absolute address. */
  readonly url: string
  /** 2 if the client repeats the request of the application after a refresh. */
  readonly attempt: 1 | 2
}

/** What a client does, in order: for a log or a timeline. */
export type ClientEvent<Payload extends object> =
  | ObservedRequest & { readonly type: 'request' }
  | ObservedRequest & { readonly type: 'response'; readonly status: number }
  /** There was no response: no network, or it was aborted, as when the user signs out during a refresh. */
  | ObservedRequest & { readonly type: 'failed'; readonly error: unknown }
  /** The session has begun, ended (`view.reason` says why) or changed, in this tab or in another. */
  | { readonly type: 'change'; readonly view: SessionView<Payload>; readonly previous: SessionView<Payload> }

/**
 * Calls the listener with everything that the client does from now on: each request of its `fetch` and of its own, and
 * each change of the session. Requests of axios are not seen. Returns a function that stops it.
 */
export function observe<Payload extends object>(
  client: Client<Payload>,
  listener: (event: ClientEvent<Payload>) => void,
): () => void {
  const { env, settings } = internalsOf(client)
  const send = env.fetch
  /** The requests that were refused and not yet repeated, by method and address. */
  const refused = new Set<string>()
  let count = 0

  async function observed(...[input, init]: Parameters<typeof send>): Promise<Response> {
    const given = typeof input === 'object' && 'url' in input ? input : null
    const url = given?.url ?? String(input)
    const [path = ''] = url.split('?', 1)
    const method = init?.method ?? given?.method ?? 'GET'
    const kind = path === settings.url ? 'refresh' : path === settings.signOutUrl ? 'sign-out' : 'application'
    const key = `${method} ${url}`
    const request: ObservedRequest = { id: ++count, kind, method, url, attempt: refused.delete(key) ? 2 : 1 }
    listener({ type: 'request', ...request })
    try {
      const response = await send(input, init)
      const isRefused = kind === 'application' && response.status === settings.expiredStatus
      if (isRefused && request.attempt === 1) refused.add(key)
      listener({ type: 'response', ...request, status: response.status })
      return response
    } catch (error) {
      listener({ type: 'failed', ...request, error })
      throw error
    }
  }

  env.fetch = observed
  const stop = client.onChange((view, previous) => listener({ type: 'change', view, previous }))
  return () => {
    if (env.fetch === observed) env.fetch = send
    stop()
  }
}
