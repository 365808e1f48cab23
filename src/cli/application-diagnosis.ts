import { parseJsonObject } from '../base/json.ts'
import type { JsonObject } from '../base/json.ts'
import { corsHeadersNeeded, describeAnswer, fine, wrong } from './findings.ts'
import type { Finding } from './findings.ts'
import { diagnoseLogin } from './login-diagnosis.ts'
import type { LoginAttempt } from './login-diagnosis.ts'
import type { Visit, Visitor } from './visit.ts'

/** An application with the embedded library, as browsers reach it. */
export interface ApplicationTarget {
  readonly origin: URL
  /** The path of Keyturn's routes as browsers see it; null: the usual ones are tried. */
  readonly basePath: string | null
  /** The page that uses it, if that is of another origin; else null. */
  readonly page: URL | null
  /** A login to try; null: none. */
  readonly login: LoginAttempt | null
}

const DISCOVERY = '/.well-known/openid-configuration'

/** Where Keyturn's routes usually are. */
const usualPaths = ['/auth', '/api/auth', '/api', '']

/**
 * Finds out what is wrong with how an application is set up: sends the requests that a browser would, and compares the
 * answers. Changes nothing, except that a login that was asked for creates a session, which it revokes.
 */
export async function diagnoseApplication(target: ApplicationTarget, visitor: Visitor): Promise<readonly Finding[]> {
  const { origin, page, login } = target
  const found = await findRoutes(target, visitor)
  const clock = examineClock(found.visit)
  if (found.issuer === null) return [...found.findings, ...clock]
  const base = new URL(origin.origin + found.path)
  const own = compareIssuer(found.issuer, base)
  const routes = await examineRoutes(base, own.length === 0, visitor)
  const cors = page === null || page.origin === origin.origin ? [] : await examinePage(base, page, visitor)
  const before = [...own, ...routes, ...cors, ...clock]
  return login === null ? before : [...before, ...await diagnoseLogin({ base, page, login }, visitor)]
}

interface FoundRoutes {
  readonly visit: Visit
  readonly path: string
  /** The issuer that the application names; null: its routes were not found. */
  readonly issuer: URL | null
  readonly findings: readonly Finding[]
}

async function findRoutes({ origin, basePath }: ApplicationTarget, visitor: Visitor): Promise<FoundRoutes> {
  const paths = basePath === null ? usualPaths : [basePath]
  const visits: Visit[] = []
  for (const path of paths) {
    const visit = await visitor.send('GET', new URL(`${origin.origin}${path}${DISCOVERY}`))
    visits.push(visit)
    const issuer = String(jsonOf(visit)?.['issuer'])
    if (visit.status !== 200 || !URL.canParse(issuer)) continue
    const found = { visit, issuer: new URL(issuer), findings: [] }
    const own = pathOf(found.issuer)
    // A proxy may pass several paths on: that of the issuer is the right one.
    const isRight = basePath === null && own !== path && !paths.slice(0, visits.length).includes(own)
      && (await visitor.send('GET', new URL(`${origin.origin}${own}${DISCOVERY}`))).status === 200
    return { ...found, path: isRight ? own : path }
  }
  const [visit] = visits
  if (visit === undefined) throw new TypeError('no path was tried')
  const server = await visitor.send('GET', new URL('/health/live', origin))
  const isServer = server.status === 200 && server.body.trim() === 'live'
  return { visit, path: '', issuer: null, findings: [isServer ? standalone : explainMissing(visit, paths)] }
}

const standalone = wrong('standalone server', 'This is a standalone server (keyturn serve). Browsers do not call '
  + 'it, but '
  + 'your application does: give the URL of the application.')

/** Why the routes were not found, by the answer to the first path. */
function explainMissing(visit: Visit, paths: readonly string[]): Finding {
  const { status, url, response } = visit
  const location = response.get('location')
  if (status >= 300 && status < 400 && location !== undefined) {
    const end = URL.canParse(location, url) ? new URL(location, url).origin : 'elsewhere'
    return wrong('redirect', `${url.origin} redirects to ${end}: `
      + 'give the URL that browsers end at.')
  }
  if (status >= 502 && status <= 504) {
    return wrong('proxy', `The proxy answers ${status}: it does not reach the application. Check its upstream address.`)
  }
  const tried = paths.map(path => `${path}${DISCOVERY}`).join(', ')
  if (isPage(visit)) {
    return wrong('proxy', `${url.pathname} is answered with a page: the front end's server takes every path. Its `
      + `proxy must `
      + `pass Keyturn's paths on to the application. Tried: ${tried}.`)
  }
  return wrong('routes', `Keyturn's routes are not there (${describeAnswer(visit)}): mount sessionRoutes() before `
    + `your own `
    + `routes. If they have another prefix, name it with --base-path. Tried: ${tried}.`)
}

/** Compares the issuer, which is made of the options `origin`, `gatewayPath` and `basePath`, with what browsers see. */
export function compareIssuer(issuer: URL, base: URL): readonly Finding[] {
  const findings: Finding[] = []
  const named = `The application names itself ${issuer.href}, but browsers reach it at ${base.href}.`
  if (issuer.protocol === 'http:' && base.protocol === 'https:') {
    findings.push(wrong('TLS', `${named} A proxy terminates TLS: set the option origin to ${base.origin}.`))
  } else if (issuer.origin !== base.origin) {
    findings.push(wrong('origin', `${named} Set the option origin to ${base.origin}.`))
  }
  const [own, seen] = [pathOf(issuer), pathOf(base)]
  if (own !== seen) {
    const removed = seen.endsWith(own) ? seen.slice(0, seen.length - own.length) : null
    findings.push(wrong('proxy prefix', `${named} ${removed === null
      ? `Set the option basePath, or gatewayPath if a proxy changes the path, so that they make ${seen} together.`
      : `The proxy removes ${removed}: set the option gatewayPath to ${removed}.`}`))
  }
  return findings
}

function pathOf({ pathname }: URL): string {
  return pathname.replace(/\/$/, '')
}

/** Tries the routes that a front end needs, without a session. */
async function examineRoutes(base: URL, isOriginRight: boolean, visitor: Visitor): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const [about, path] of [['refresh', '/session/refresh'], ['sign-out', '/signout']] as const) {
    const url = new URL(base.origin + pathOf(base) + path)
    const visit = await visitor.send('POST', url, new Map([['origin', base.origin]]))
    const { status } = visit
    if (status === 403 && isRefusedOrigin(visit)) {
      if (isOriginRight) findings.push(wrong('origin', `The application refuses requests of its own pages: `
        + `${base.origin} is not `
        + 'its option origin.'))
    } else if (status === 503) {
      findings.push({ ...wrong('store', `POST ${path} is answered with 503: the application's store does not `
        + `answer.`), next: 'keyturn doctor "$KEYTURN_STORE"' })
    } else if (jsonOf(visit) === null || status < 400 || status === 404 || status === 405 || status >= 500) {
      findings.push(wrong(about, `POST ${visit.url.pathname} does not reach Keyturn (${describeAnswer(visit)}): `
        + `mount sessionRoutes() `
        + 'before your own routes, and let the proxy pass POST requests on.'))
    }
  }
  return findings.length > 0 ? findings : [fine('routes', 'Refresh and sign-out are reached, and refuse a request '
    + 'without a session.')]
}

function isRefusedOrigin(visit: Visit): boolean {
  return String(jsonOf(visit)?.['message']).startsWith('cross-site request refused')
}

/** Whether a page of another origin may use the sessions. */
async function examinePage(base: URL, page: URL, visitor: Visitor): Promise<readonly Finding[]> {
  const refresh = new URL(`${base.origin}${pathOf(base)}/session/refresh`)
  const used = await visitor.send('POST', refresh, new Map([['origin', page.origin], ['rid', 'doctor']]))
  if (used.status === 403 && isRefusedOrigin(used)) {
    return [wrong('trusted origins', `The application refuses requests of ${page.origin}: add it to the option `
      + `trustedOrigins.`)]
  }
  const preflight = await visitor.send('OPTIONS', refresh, new Map([
    ['origin', page.origin],
    ['access-control-request-method', 'POST'],
    ['access-control-request-headers', corsHeadersNeeded],
  ]))
  const problems = [...corsProblems(preflight, page, true), ...corsProblems(used, page, false)]
  if (problems.length === 0) return [fine('CORS', `Pages of ${page.origin} can use the sessions.`)]
  return [wrong('CORS', `${[...new Set(problems)].join(' ')} Mount cors() before everything else, or set the same `
    + `headers in the proxy, but `
    + 'not in both.')]
}

function corsProblems({ response, status }: Visit, page: URL, isPreflight: boolean): readonly string[] {
  const what = isPreflight ? 'The answer to the preflight' : 'The answer'
  const allowed = response.get('access-control-allow-origin')
  if (allowed === undefined) return [`${what} has no Access-Control-Allow-Origin.`]
  if (allowed === '*') return [`${what} has Access-Control-Allow-Origin: *, which browsers refuse for requests with `
    + `cookies.`]
  if (allowed !== page.origin) return [`${what} allows another origin, or has the header twice.`]
  const problems: string[] = []
  if (response.get('access-control-allow-credentials') !== 'true') problems.push(`${what} lacks `
    + `Access-Control-Allow-Credentials: true.`)
  if (isPreflight && status >= 300) problems.push(`The preflight is answered with ${status}.`)
  if (isPreflight) {
    const names = (response.get('access-control-allow-headers') ?? '').toLowerCase()
    const missing = corsHeadersNeeded.split(', ').filter(name => !names.includes(name))
    if (missing.length > 0) problems.push(`Access-Control-Allow-Headers lacks ${missing.join(', ')}.`)
  } else if (!(response.get('access-control-expose-headers') ?? '').toLowerCase().includes('front-token')) {
    problems.push('Access-Control-Expose-Headers lacks front-token.')
  }
  return problems
}

/** The tolerated difference of two clocks, in milliseconds. */
const SKEW = 30_000

function examineClock({ response, url }: Visit): readonly Finding[] {
  const off = Date.parse(response.get('date') ?? '') - Date.now()
  if (Number.isNaN(off) || Math.abs(off) <= SKEW) return []
  const by = `${Math.round(Math.abs(off) / 1000)} s ${off > 0 ? 'ahead of' : 'behind'}`
  return [wrong('clock', `The clock of ${url.host} is ${by} this machine's: `
    + 'tokens seem expired, or not yet valid. Synchronize both (NTP).')]
}

function jsonOf({ response, body }: Visit): JsonObject | null {
  return response.get('content-type')?.includes('json') === true ? parseJsonObject(body) : null
}

function isPage({ response, status }: Visit): boolean {
  return status === 200 && response.get('content-type')?.includes('text/html') === true
}
