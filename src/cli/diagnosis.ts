import { parseJsonObject } from '../base/json.ts'
import type { JsonObject } from '../base/json.ts'

/** What a doctor looks at. */
export interface Symptoms {
  /** Where the request went, as the browser sees it. */
  readonly url: URL
  readonly method: string
  /** The request's headers, names in lower case; repeated ones joined by a line feed. */
  readonly request: ReadonlyMap<string, string>
  /** The answer's headers, if there was one. */
  readonly response: ReadonlyMap<string, string> | null
  /** The origin of the page that sent it, if it is known. */
  readonly page: URL | null
  /** Milliseconds since 1970. */
  readonly now: number
}

/** Something that was found. `wrong` explains why there is no session; `note` may. */
export interface Finding {
  readonly kind: 'wrong' | 'note' | 'fine'
  readonly about: string
  readonly words: string
}

const SKEW = 30_000

/** Says why a request has no session, as far as the request and its answer tell. Never repeats a token. Pure. */
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

const wrong = (about: string, words: string): Finding => ({ kind: 'wrong', about, words })
const note = (about: string, words: string): Finding => ({ kind: 'note', about, words })
const fine = (about: string, words: string): Finding => ({ kind: 'fine', about, words })

function examineCredentials({ url, request, page, now }: Symptoms): readonly Finding[] {
  const cookies = (request.get('cookie') ?? '').split(/[;\n]/).map(pair => pair.trim().split('=', 2))
  const named = cookies.filter(([name = '']) => /sAccessToken$/.test(name))
  const bearer = /^Bearer\s+(\S+)/i.exec(request.get('authorization') ?? '')?.[1]
  const findings: Finding[] = []
  const counts = new Map<string, number>()
  for (const [name = ''] of cookies) {
    if (/s(Access|Refresh)Token$/.test(name)) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  for (const [name, count] of counts) {
    if (count > 1) findings.push(wrong('duplicate cookies', `${name} came ${count} times: it was set for two `
      + `domains or paths. Clear both, and set it with one Domain only.`))
  }
  if (named.length > 0 && bearer !== undefined) {
    findings.push(note('two credentials', 'An Authorization header and a cookie came together: the header is the '
      + 'one that counts.'))
  }
  const token = bearer ?? named[0]?.[1]
  if (token === undefined) {
    findings.push(wrong('no access token', absent(url, request, page)))
    return findings
  }
  return [...findings, ...examineToken(token, now)]
}

function absent(url: URL, request: ReadonlyMap<string, string>, page: URL | null): string {
  if (page !== null && page.origin !== url.origin) {
    return `Neither cookie nor Authorization header came. ${page.origin} is another origin than ${url.origin}: `
      + `the page must `
      + 'send with credentials ("include"), the server must allow that origin with credentials, and unless both '
      + 'are the '
      + 'same site the cookies need SameSite=None; Secure, which many browsers block all the same.'
  }
  if (url.protocol === 'http:' && !isLocal(url)) {
    return `Neither cookie nor Authorization header came. ${url.origin} is plain http: browsers keep no Secure `
      + `cookie for it. Use https.`
  }
  if (request.has('cookie')) {
    return 'Cookies came, but none of the session: its Domain or Path does not fit this URL, or another host '
      + 'logged the user in.'
  }
  return 'Neither cookie nor Authorization header came: there was no login, the cookies have expired, or the '
    + 'client does not send them.'
}

function examineToken(token: string, now: number): readonly Finding[] {
  const claims = claimsOf(decodeURIComponentSafely(token))
  if (claims === null) return [wrong('access token', 'It is no JWT: it was cut off, or another program uses the '
    + 'same cookie name.')]
  const { exp, iat } = claims
  const findings: Finding[] = []
  if (typeof iat === 'number' && iat * 1000 > now + SKEW) {
    findings.push(wrong('clock', `The token was issued ${Math.round((iat * 1000 - now) / 1000)} s in the future: `
      + `the clocks of two machines disagree.`))
  }
  if (typeof exp !== 'number') findings.push(wrong('access token', 'It names no expiry: it is not one of this system.'))
  else if (exp * 1000 <= now) {
    findings.push(wrong('access token', `It expired ${Math.round((now - exp * 1000) / 1000)} s ago: the client `
      + `should have refreshed. Is the refresh route reachable, and does its answer reach the client?`))
  } else findings.push(fine('access token', `It is valid for another ${Math.round((exp * 1000 - now) / 1000)} s, `
    + `as far as its claims go.`))
  return findings
}

function examineSetCookies({ url, response, page }: Symptoms): readonly Finding[] {
  const lines = (response?.get('set-cookie') ?? '').split('\n')
    .filter(line => /^(__\w+-)?s(Access|Refresh)Token=/.test(line))
  return lines.flatMap(line => {
    const name = line.slice(0, line.indexOf('='))
    const attributes = new Map(line.split(';').slice(1).map(part => {
      const [key = '', value = ''] = part.trim().split('=', 2)
      return [key.toLowerCase(), value.toLowerCase()] as const
    }))
    const findings: Finding[] = []
    const domain = attributes.get('domain')?.replace(/^\./, '')
    if (domain !== undefined && url.hostname !== domain && !url.hostname.endsWith(`.${domain}`)) {
      findings.push(wrong('domain', `${name} is set for ${domain}, which ${url.hostname} is no part of: browsers `
        + `drop it.`))
    }
    if (attributes.has('secure') && url.protocol === 'http:' && !isLocal(url)) {
      findings.push(wrong('secure', `${name} is Secure, but the URL is http: browsers drop it. Behind a proxy `
        + `that ends TLS, configure the https origin.`))
    }
    if (attributes.get('samesite') === 'none' && !attributes.has('secure')) {
      findings.push(wrong('SameSite', `${name} has SameSite=None without Secure: browsers drop it.`))
    }
    if (page !== null && !isSameSite(page, url) && attributes.get('samesite') !== 'none') {
      findings.push(wrong('SameSite', `${name} is not SameSite=None, and ${page.hostname} is another site than `
        + `${url.hostname}: it is not sent from there.`))
    }
    const isBound = domain === undefined && attributes.get('path') === '/' && attributes.has('secure')
    if (name.startsWith('__Host-') && !isBound) {
      findings.push(wrong('prefix', `${name} needs Secure, Path=/ and no Domain: browsers drop it.`))
    }
    if (line.length > 4096) findings.push(wrong('size', `${name} is longer than 4,096 bytes: browsers drop it. `
      + `Keep less in the payload.`))
    return findings.length > 0 ? findings : [fine(name, 'It is set in a way that browsers keep.')]
  })
}

function examineOrigin({ method, request, url }: Symptoms): readonly Finding[] {
  if (['GET', 'HEAD', 'OPTIONS'].includes(method)) return []
  const site = request.get('sec-fetch-site')
  if (site === 'cross-site') {
    return [wrong('cross-site', 'The browser says that another site sent this unsafe request: it is refused '
      + 'unless that origin is allowed.')]
  }
  const origin = request.get('origin')
  if (origin !== undefined && origin !== url.origin) {
    return [note('origin', `The request came from ${safeOrigin(origin)}: it must be among the allowed origins.`)]
  }
  return []
}

function examineCors({ url, request, response, page }: Symptoms): readonly Finding[] {
  const origin = page?.origin ?? request.get('origin')
  if (response === null || origin === undefined || origin === url.origin) return []
  const allowed = response.get('access-control-allow-origin')
  if (allowed === undefined) return [wrong('CORS', 'The answer allows no other origin: the page can not read it, '
    + 'nor keep its cookies.')]
  if (allowed === '*') return [wrong('CORS', 'The answer allows any origin, and with credentials browsers refuse '
    + 'that: name the origin.')]
  if (allowed !== origin) return [wrong('CORS', 'The answer allows another origin than the page\'s.')]
  const findings: Finding[] = []
  if (response.get('access-control-allow-credentials') !== 'true') {
    findings.push(wrong('CORS', 'The answer lacks Access-Control-Allow-Credentials: true: browsers keep no '
      + 'cookie of it.'))
  }
  if (!(response.get('access-control-expose-headers') ?? '').toLowerCase().includes('front-token')) {
    findings.push(note('CORS', 'The answer does not expose front-token: the page\'s SDK does not see that there '
      + 'is a session.'))
  }
  return findings.length > 0 ? findings : [fine('CORS', 'The page may read the answer, with credentials.')]
}

function examineProxy({ url, request }: Symptoms): readonly Finding[] {
  const host = request.get('host')
  const proto = request.get('x-forwarded-proto')
  const findings: Finding[] = []
  if (host !== undefined && host !== url.host) {
    findings.push(note('proxy', `The server saw another Host than ${url.host}: a proxy lies between. Configure `
      + `the public origin; forwarded headers are not believed.`))
  }
  if (proto !== undefined && `${proto}:` !== url.protocol) {
    findings.push(note('proxy', 'X-Forwarded-Proto disagrees with the URL: look at what the proxy in front forwards.'))
  }
  return findings
}

function examineClock({ response, now }: Symptoms): readonly Finding[] {
  const date = Date.parse(response?.get('date') ?? '')
  if (Number.isNaN(date) || Math.abs(date - now) <= SKEW) return []
  return [wrong('clock', `The server's clock is ${Math.round((date - now) / 1000)} s off this machine's: tokens `
    + `seem expired, or not yet valid.`)]
}

function claimsOf(token: string): JsonObject | null {
  return parseJsonObject(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function safeOrigin(text: string): string {
  return URL.canParse(text) ? new URL(text).origin : 'an opaque origin'
}

function isLocal({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '127.0.0.1' || hostname === '[::1]'
}

/** Nearly what browsers call a site: the same scheme and the same last two labels. */
function isSameSite(left: URL, right: URL): boolean {
  const site = ({ hostname }: URL): string => hostname.split('.').slice(-2).join('.')
  return left.protocol === right.protocol && site(left) === site(right)
}
