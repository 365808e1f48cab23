import { parseCookieName } from '../base/cookie-names.ts'
import { parseJsonObject } from '../base/json.ts'
import type { JsonObject } from '../base/json.ts'
import { isLocalHostname } from '../base/loopback.ts'
import { percentDecode } from '../base/percent-decode.ts'
import { fine, note, wrong } from './findings.ts'
import type { Finding } from './findings.ts'

/** What `keyturn doctor` examines. */
export interface Symptoms {
  /** The URL of the request, as the browser sees it. */
  readonly url: URL
  readonly method: string
  /** The request's headers, with names in lower case. The values of a repeated header are joined by a line feed. */
  readonly request: ReadonlyMap<string, string>
  /** The response's headers; null if there is no response. */
  readonly response: ReadonlyMap<string, string> | null
  /** The page that sent the request; null if unknown. */
  readonly page: URL | null
  /** Milliseconds since 1970. */
  readonly now: number
}

/** The tolerated difference of two clocks, in milliseconds. */
const SKEW = 30_000

/** Explains why a request has no session, from the request and its response alone. Never repeats a token. Pure. */
export function diagnose(symptoms: Symptoms): readonly Finding[] {
  return [
    ...examineCredentials(symptoms),
    ...examineSetCookies(symptoms),
    ...examineOrigin(symptoms),
    ...examineCors(symptoms),
    ...examineProxy(symptoms),
    ...examineClock(symptoms),
  ]
}

function examineCredentials({ url, request, page, now }: Symptoms): readonly Finding[] {
  const cookies = (request.get('cookie') ?? '').split(/[;\n]/).map(pair => pair.trim().split('=', 2))
  const named = cookies.map(([name = '', value]) => ({ name, value, parsed: parseCookieName(name) }))
    .filter(({ parsed }) => parsed !== null)
  // On localhost, browsers send the cookies of every port to all of them; the names tell them apart.
  const isOwn = ({ parsed }: typeof named[number]): boolean => (
    !isLocalHostname(url.hostname) || parsed?.port === '' || parsed?.port === url.port
  )
  const tokenCookies = named.filter(cookie => cookie.parsed?.kind === 'accessToken' && isOwn(cookie))
  const bearer = /^Bearer\s+(\S+)/i.exec(request.get('authorization') ?? '')?.[1]
  const findings: Finding[] = []
  const counts = new Map<string, number>()
  for (const { name } of named) counts.set(name, (counts.get(name) ?? 0) + 1)
  for (const [name, count] of counts) {
    if (count > 1) findings.push(wrong('duplicate cookies', `The request has the cookie ${name} ${count} times: it `
      + 'was set for two domains or paths. Clear both, then set it with one Domain only.'))
  }
  if (tokenCookies.length > 0 && bearer !== undefined) {
    findings.push(note('two credentials', 'The request has both an Authorization header and a session cookie: the '
      + 'header is used.'))
  }
  const [first] = tokenCookies
  if (bearer === undefined && first?.parsed?.port === '' && isLocalHostname(url.hostname) && url.port !== '') {
    findings.push(note('cookie name', `The request has the cookie ${first.name}. On localhost, the name ends with the `
      + `port, -${url.port} here, unless the option cookie says otherwise: a server ignores other names.`))
  }
  const token = bearer ?? first?.value
  const elsewhere = named.find(cookie => !isOwn(cookie))
  if (token === undefined && elsewhere !== undefined) {
    return [...findings, wrong('no access token', `The request has the cookie ${elsewhere.name}, of an application `
      + `whose origin has the port ${elsewhere.parsed?.port ?? ''}, but it is sent to ${url.host}. Set the option `
      + `origin of the `
      + 'server to the origin that the browser uses, or log in here.')]
  }
  if (token === undefined) {
    findings.push(wrong('no access token', explainMissingToken(url, request, page)))
    return findings
  }
  return [...findings, ...examineToken(token, now)]
}

function explainMissingToken(url: URL, request: ReadonlyMap<string, string>, page: URL | null): string {
  const missing = 'The request has neither a session cookie nor an Authorization header'
  if (page !== null && page.origin !== url.origin) {
    return `${missing}. The page's origin, ${page.origin}, differs from ${url.origin}. The page must send the request `
      + 'with credentials: "include", and the server must allow that origin with credentials. Unless both are the same '
      + 'site, the cookies need SameSite=None; Secure; Partitioned as well: browsers block other third-party cookies.'
  }
  if (url.protocol === 'http:' && !isLocalHostname(url.hostname)) {
    return `${missing}. ${url.origin} is plain http: browsers do not store Secure cookies for it. Use https.`
  }
  if (request.has('cookie')) {
    return 'The request has cookies, but no session cookie: its Domain or Path does not match this URL, or another '
      + 'host logged the user in.'
  }
  return `${missing}: the user has not logged in, the cookies have expired, or the client does not send them.`
}

/** Examines an access token's claims, without its signature. Pure. */
export function examineToken(token: string, now: number): readonly Finding[] {
  const claims = claimsOf(percentDecode(token) ?? token)
  if (claims === null) return [wrong('access token', 'It is not a JWT: it was truncated, or another program uses the '
    + 'same cookie name.')]
  const { exp, iat } = claims
  const findings: Finding[] = []
  if (typeof iat === 'number' && iat * 1000 > now + SKEW) {
    findings.push(wrong('clock', `The token was issued ${Math.round((iat * 1000 - now) / 1000)} s in the future: `
      + `the clocks of two machines disagree.`))
  }
  if (typeof exp !== 'number') findings.push(wrong('access token', 'It has no exp claim: another system issued it.'))
  else if (exp * 1000 <= now) {
    findings.push(wrong('access token', `It expired ${Math.round((now - exp * 1000) / 1000)} s ago: the client `
      + 'should have refreshed the session. Check that the client reaches the refresh route and gets its response.'))
  } else findings.push(fine('access token', 'According to its claims, it is valid for another '
    + `${Math.round((exp * 1000 - now) / 1000)} s. The signature was not checked.`))
  return findings
}

/** Examines the session cookies of a response. Pure. */
export function examineSetCookies({ url, response, page }: Symptoms): readonly Finding[] {
  const lines = (response?.get('set-cookie') ?? '').split('\n')
    .filter(line => parseCookieName(line.slice(0, Math.max(line.indexOf('='), 0))) !== null)
  return lines.flatMap(line => {
    const name = line.slice(0, line.indexOf('='))
    const attributes = new Map(line.split(';').slice(1).map(part => {
      const [key = '', value = ''] = part.trim().split('=', 2)
      return [key.toLowerCase(), value.toLowerCase()] as const
    }))
    const findings: Finding[] = []
    const domain = attributes.get('domain')?.replace(/^\./, '')
    if (domain !== undefined && url.hostname !== domain && !url.hostname.endsWith(`.${domain}`)) {
      findings.push(wrong('domain', `${name} has Domain=${domain}, but ${url.hostname} does not belong to that domain: `
        + 'browsers drop the cookie.'))
    }
    if (attributes.has('secure') && url.protocol === 'http:' && !isLocalHostname(url.hostname)) {
      findings.push(wrong('secure', `${name} is Secure, but the URL is http: browsers drop the cookie. Behind a proxy `
        + 'that terminates TLS, configure the https origin.'))
    }
    if (attributes.get('samesite') === 'none' && !attributes.has('secure')) {
      findings.push(wrong('SameSite', `${name} has SameSite=None without Secure: browsers drop the cookie.`))
    }
    if (page !== null && !isSameSite(page, url) && attributes.get('samesite') !== 'none') {
      findings.push(wrong('SameSite', `${name} does not have SameSite=None, and ${page.hostname} and ${url.hostname} `
        + 'are different sites: browsers do not send the cookie with requests of that page.'))
    }
    const fitsHostPrefix = domain === undefined && attributes.get('path') === '/' && attributes.has('secure')
    if (name.startsWith('__Host-') && !fitsHostPrefix) {
      findings.push(wrong('prefix', `${name} must have Secure, Path=/ and no Domain: browsers drop the cookie.`))
    }
    if (line.length > 4096) findings.push(wrong('size', `${name} is longer than 4,096 bytes: browsers drop the cookie. `
      + 'Store less in the JWT payload.'))
    return findings.length > 0 ? findings : [fine(name, 'Browsers accept the cookie.')]
  })
}

function examineOrigin({ method, request, url }: Symptoms): readonly Finding[] {
  if (['GET', 'HEAD', 'OPTIONS'].includes(method)) return []
  const site = request.get('sec-fetch-site')
  if (site === 'cross-site') {
    return [wrong('cross-site', `Sec-Fetch-Site says that another site sent this ${method} request: the server refuses `
      + 'it unless that origin is trusted.')]
  }
  const origin = request.get('origin')
  if (origin !== undefined && origin !== url.origin) {
    return [note('origin', `The request came from ${safeOrigin(origin)}: the server must trust that origin.`)]
  }
  return []
}

function examineCors({ url, request, response, page }: Symptoms): readonly Finding[] {
  const origin = page?.origin ?? request.get('origin')
  if (response === null || origin === undefined || origin === url.origin) return []
  const allowed = response.get('access-control-allow-origin')
  if (allowed === undefined) return [wrong('CORS', 'The response has no Access-Control-Allow-Origin: the page cannot '
    + 'read it, and browsers do not store its cookies.')]
  if (allowed === '*') return [wrong('CORS', 'The response has Access-Control-Allow-Origin: *, which browsers '
    + 'refuse for requests with credentials: send the page\'s origin instead.')]
  if (allowed !== origin) return [wrong('CORS', 'Access-Control-Allow-Origin is not the page\'s origin.')]
  const findings: Finding[] = []
  if (response.get('access-control-allow-credentials') !== 'true') {
    findings.push(wrong('CORS', 'The response lacks Access-Control-Allow-Credentials: true. Browsers do not store its '
      + 'cookies.'))
  }
  if (!(response.get('access-control-expose-headers') ?? '').toLowerCase().includes('front-token')) {
    findings.push(note('CORS', 'Access-Control-Expose-Headers does not list front-token: the SDK in the page does not '
      + 'see that there is a session.'))
  }
  return findings.length > 0 ? findings : [fine('CORS', 'The page can read responses to requests with credentials.')]
}

function examineProxy({ url, request }: Symptoms): readonly Finding[] {
  const host = request.get('host')
  const proto = request.get('x-forwarded-proto')
  const findings: Finding[] = []
  if (host !== undefined && host !== url.host) {
    findings.push(note('proxy', `The Host header is not ${url.host}: there is a proxy between browser and server. `
      + 'Configure the public origin; the server ignores forwarded headers.'))
  }
  if (proto !== undefined && `${proto}:` !== url.protocol) {
    findings.push(note('proxy', 'X-Forwarded-Proto does not match the URL: check what the proxy forwards.'))
  }
  return findings
}

function examineClock({ response, now }: Symptoms): readonly Finding[] {
  const date = Date.parse(response?.get('date') ?? '')
  if (Number.isNaN(date) || Math.abs(date - now) <= SKEW) return []
  return [wrong('clock', `The server's clock is ${Math.round((date - now) / 1000)} s off this machine's clock: `
    + 'tokens seem expired, or not yet valid.')]
}

function claimsOf(token: string): JsonObject | null {
  return parseJsonObject(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}

function safeOrigin(text: string): string {
  return URL.canParse(text) ? new URL(text).origin : 'an opaque origin'
}

/** Approximates what browsers call a site: the same scheme and the same last two labels of the host name. */
function isSameSite(left: URL, right: URL): boolean {
  const site = ({ hostname }: URL): string => hostname.split('.').slice(-2).join('.')
  return left.protocol === right.protocol && site(left) === site(right)
}
