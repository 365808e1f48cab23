import * as wire from '../base/wire.ts'
import type { Client } from './client.ts'
import { internalsOf } from './internals.ts'

/**
 * Writes a warning to the console when the client cannot work as it is configured, with the likely cause: for
 * development. Each problem is reported once. Returns a function that stops it.
 * @example
 * if (process.env.NODE_ENV !== 'production') explainProblems(client)
 */
export function explainProblems(client: Pick<Client<object>, 'exchanges'>): () => void {
  const { env, settings: { url, signOutUrl, mode, origin, expiredStatus } } = internalsOf(client)
  const send = env.fetch
  const reported = new Set<string>()
  /** Whether the last response to the application brought a session. */
  let hasBegun = false

  function report(problem: string): void {
    if (!reported.has(problem)) console.warn(`keyturn: ${problem}`)
    reported.add(problem)
  }

  function explainOwn(path: string, { status, headers }: Response): void {
    if (status === 404 || status === 405) {
      report(`POST ${path} was answered ${status}. Is basePath the server's, and does it mount the session routes?`)
    } else if (status === 200 && path === url && headers.get(wire.frontToken) === null) {
      report(`the response to POST ${path} has no front-token that this page can read. `
        + 'Does the server expose it, as cors() does, or does a proxy remove it?')
    } else if (status === 403) {
      report(`POST ${path} was answered 403. Is ${env.pageUrl} among the server's trustedOrigins?`)
    }
    if (path !== url) return
    // The server has seen no refresh token, though this page has got a session a moment ago.
    if (hasBegun && mode === 'cookie' && status === expiredStatus && headers.get(wire.sessionEnded) === null) {
      report(`the browser sent no cookies to ${origin}. It blocks them if page and server are on different sites, `
        + 'or if cookies are Secure and the server is reached without HTTPS')
    }
    hasBegun = false
  }

  async function watched(...[input, init]: Parameters<typeof send>): Promise<Response> {
    const response = await send(input, init)
    const [path = ''] = (typeof input === 'object' && 'url' in input ? input.url : String(input)).split('?', 1)
    if (path === url || path === signOutUrl) explainOwn(path, response)
    else if ((response.headers.get(wire.frontToken) ?? 'remove') !== 'remove') hasBegun = true
    return response
  }

  env.fetch = watched
  return () => {
    if (env.fetch === watched) env.fetch = send
  }
}
