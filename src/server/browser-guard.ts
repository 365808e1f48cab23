import type { IncomingMessage } from 'node:http'
import { isLoopbackHost } from '../base/loopback.ts'

/**
 * Judges who may speak to a server without API keys. It serves the programs of its own machine; a browser there brings
 * the pages of others along. A request that a page made is refused (ADM-07), and so is one for a name that is not this
 * machine's: a page could have had its own name lead here.
 */
export function isLocalRequest({ headers }: IncomingMessage): boolean {
  if (headers.origin !== undefined) return false
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'none' && site !== 'same-origin') return false
  const host = hostname(headers.host ?? '')
  // Browsers look up no name under `localhost`: nobody else can have one.
  return host !== null && (isLoopbackHost(host) || host.endsWith('.localhost'))
}

function hostname(host: string): string | null {
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : null
}
