import { createClientInfo } from '../session/client-info.ts'
import type { HttpRequest } from './exchange.ts'
import type { HttpPolicy } from './http-policy.ts'

// All of this runs where requests are refused, at logins and at refreshes: a verified request costs nothing more.

const routeOfKeyturn = /^(.*?)\/(?:session\/refresh|signout)\/?$/

/** Reports a request for a route of Keyturn that reached something else, because it is under another prefix. */
export function findMisplacedRoute({ method, path }: HttpRequest, { basePath, report }: HttpPolicy): void {
  const [, prefix = null] = method === 'POST' ? routeOfKeyturn.exec(path) ?? [] : []
  if (prefix !== null && prefix !== basePath) {
    report({ code: 'ROUTES_ELSEWHERE', path, prefix: prefix || '/', basePath })
  }
}

/** Reports a proxy that the application does not know of, by the request of a login or a refresh. */
export function findUnknownProxy(request: HttpRequest, { origin, isTrustedOrigin, report }: HttpPolicy): void {
  const host = firstOf(request.header('x-forwarded-host'))
  const scheme = firstOf(request.header('x-forwarded-proto'))
  if (host !== null || scheme !== null) {
    const own = new URL(origin)
    const forwarded = `${scheme ?? own.protocol.slice(0, -1)}://${host ?? own.host}`
    const found = URL.canParse(forwarded) ? new URL(forwarded).origin : origin
    if (!isTrustedOrigin(found)) report({ code: 'PROXY_ORIGIN', forwarded: found, configured: origin })
  }
  const addresses = request.header('x-forwarded-for')?.split(',').map(text => createClientInfo(text.trim(), null).ip)
  const { ip } = request.client
  if (addresses !== undefined && !addresses.includes(ip)) report({ code: 'PROXY_ADDRESS', address: ip })
}

/** The first value of a list that proxies append to: that of the client's request. */
function firstOf(list: string | null): string | null {
  return list?.split(',', 1)[0]?.trim() || null
}

/** Suffixes under which many sites live: the commonest of hosting services, and second levels such as `co.uk`. */
const sharedSuffixes: ReadonlySet<string> = new Set([
  'vercel.app', 'github.io', 'herokuapp.com', 'netlify.app', 'pages.dev', 'workers.dev', 'fly.dev', 'onrender.com',
  'cloudfront.net', 'azurewebsites.net', 'appspot.com', 'web.app', 'firebaseapp.com', 'up.railway.app', 'run.app',
  'gitlab.io', 'deno.dev', 'ngrok.io', 'ngrok-free.app', 'amplifyapp.com', 'azurestaticapps.net', 'surge.sh',
])

/** Whether browsers drop cookies of this domain, because it belongs to nobody alone. A short list, not all. Pure. */
export function isSharedDomain(domain: string): boolean {
  return sharedSuffixes.has(domain) || /^(?:com?|net|org|gov|edu|ac|ne|or|go)\.[a-z]{2}$/.test(domain)
}
