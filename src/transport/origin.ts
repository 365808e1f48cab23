import { GeneralError } from '../base/errors.ts'

/**
 * Parses a configured origin and writes it as browsers do: scheme, host, the port if not the default (CSRF-03).
 * @throws GeneralError (`MISUSE`) if it is anything but `http(s)://host[:port]`.
 */
export function parseOrigin(name: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  const isOrigin = url !== null
    && (url.protocol === 'https:' || url.protocol === 'http:')
    && url.href === `${url.origin}/`
    && !url.hostname.includes('*')
  if (isOrigin) return url
  throw new GeneralError('MISUSE', `${name} must be a full origin like https://app.example.com: no path, no wildcard`)
}

/** Whether browsers treat the host as secure without https, because requests to it never leave the machine. */
export function isLoopback(url: URL): boolean {
  return url.hostname === 'localhost' || url.hostname === '127.0.0.1' || url.hostname === '[::1]'
}
