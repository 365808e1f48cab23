import { isIPv4 } from 'node:net'

/** Whether a name or an address, as a setting or a URL has it, is this machine's and nobody else can reach it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'))
}
