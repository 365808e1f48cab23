import { urlOf } from './http/listen.ts'
import type { ServerSettings } from './settings.ts'

/** What of the settings says where clients reach the server. `port` is the one that it listens on, never 0. */
type Address = Pick<ServerSettings, 'issuer' | 'publicOrigin' | 'host' | 'port' | 'basePath'>

/** The `iss` claim of an application's access tokens. */
export function issuerOf({ issuer, publicOrigin, host, port, basePath }: Address, appId: string): string {
  const origin = publicOrigin ?? urlOf(isWildcard(host) ? '127.0.0.1' : host, port)
  return `${issuer ?? origin + basePath}${appId === 'public' ? '' : `/appid-${appId}`}`
}

/** Whether a host stands for all addresses of the machine: a server listens on it, and no client can connect to it. */
export function isWildcard(host: string): boolean {
  return /^(?:0\.0\.0\.0|[0:]*:[0:]*|)$/.test(host)
}
