import type { IncomingMessage } from 'node:http'
import { isLoopbackHost } from '../base/loopback.ts'

/**
 * Whether a server without API keys accepts a request. Such a server is for programs on its own machine, but a browser
 * on that machine also runs web pages of others. A request from a web page is refused (ADM-07). So is a request for a
 * host name that is not this machine's: a page's own host name could resolve to this machine (DNS rebinding).
 */
export function isLocalRequest({ headers }: IncomingMessage): boolean {
  if (headers.origin !== undefined) return false
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'none' && site !== 'same-origin') return false
  const host = hostname(headers.host ?? '')
  // Browsers resolve names under `localhost` to this machine: no other site can have such a name.
  return host !== null && (isLoopbackHost(host) || host.endsWith('.localhost'))
}

function hostname(host: string): string | null {
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : null
}
