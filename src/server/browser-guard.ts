import type { IncomingMessage } from 'node:http'

/**
 * Makes the judge of who may speak to a server without API keys. It serves the programs of its own machine; a browser
 * there brings the pages of others along. A request that a page made is refused (ADM-07), and so is one for a name that
 * is not this machine's: a page could have had its own name lead here.
 */
export function createBrowserGuard(publicOrigin: string | null): (request: IncomingMessage) => boolean {
  const publicHost = publicOrigin === null ? null : new URL(publicOrigin).hostname
  return ({ headers }) => {
    if (headers.origin !== undefined) return false
    const site = headers['sec-fetch-site']
    if (site !== undefined && site !== 'none' && site !== 'same-origin') return false
    const host = hostname(headers.host ?? '')
    return host !== null && (isLoopback(host) || host === publicHost)
  }
}

/** Whether a name or an address can only be this machine's. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || host === '[::1]'
    || /^127(\.\d{1,3}){3}$/.test(host)
}

function hostname(host: string): string | null {
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : null
}
