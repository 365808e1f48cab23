import { parseCookieName } from '../base/cookie-names.ts'
import { examineSetCookies, examineToken } from './diagnosis.ts'
import { describeAnswer, fine, wrong } from './findings.ts'
import type { Finding } from './findings.ts'
import type { Visit, Visitor } from './visit.ts'

/** A login to try. */
export interface LoginAttempt {
  readonly url: URL
  /** The body, as JSON. */
  readonly data: string
}

/** Where a login is tried. */
export interface LoginTarget {
  /** The URL of Keyturn's routes. */
  readonly base: URL
  readonly page: URL | null
  readonly login: LoginAttempt
}

interface Cookie {
  readonly name: string
  readonly value: string
  readonly path: string
}

/** Logs in as a browser would, refreshes the session, and revokes it. */
export async function diagnoseLogin({ base, page, login }: LoginTarget, visitor: Visitor): Promise<readonly Finding[]> {
  const origin = (page ?? base).origin
  const visit = await visitor.send('POST', login.url, new Map([
    ['origin', origin], ['content-type', 'application/json'],
  ]), login.data)
  const failure = explainFailure(visit)
  if (failure !== null) return [failure]
  const inHeaders = visit.response.get('st-access-token')
  if (inHeaders !== undefined) return examineToken(inHeaders, Date.now())
  const cookies = cookiesOf(visit)
  const access = cookies.find(({ name }) => parseCookieName(name)?.kind === 'accessToken')
  if (access === undefined) {
    return [wrong('login', `POST ${login.url.pathname} is answered with ${visit.status} and sets no session cookie: `
      + `does the route call `
      + 'createNewSession, or does a proxy remove Set-Cookie?')]
  }
  const findings = [
    ...examineSetCookies({ ...visit, page, now: Date.now() }),
    ...examineToken(access.value, Date.now()),
  ]
  if (findings.some(({ kind }) => kind === 'wrong')) return findings
  return [...findings, await liveOn(base, origin, cookies, visitor)]
}

function explainFailure(visit: Visit): Finding | null {
  const { status, url } = visit
  if (status < 300) return null
  const answer = `POST ${url.pathname} is answered with ${describeAnswer(visit)}`
  if (status === 404 || status === 405) return wrong('login', `${answer}: there is no such route. Name the login `
    + `route with --login.`)
  if (status === 401 || status === 403) return wrong('login', `${answer}: log in with a user that exists: --data `
    + `'{"user":"..."}'.`)
  return wrong('body parser', `${answer}. A route that reads a JSON body fails like this if no body parser runs `
    + `before it: in Express, `
    + 'app.use(express.json()) before the route. Otherwise, the log of the application has the reason.')
}

function cookiesOf({ response }: Visit): readonly Cookie[] {
  return (response.get('set-cookie') ?? '').split('\n').filter(line => line !== '').map(line => {
    const [pair = '', ...attributes] = line.split(';').map(part => part.trim())
    const path = attributes.find(each => each.toLowerCase().startsWith('path='))?.slice('path='.length) ?? '/'
    return { name: pair.slice(0, pair.indexOf('=')), value: pair.slice(pair.indexOf('=') + 1), path }
  })
}

/** Refreshes the session, and revokes it, with the cookies that a browser would send. */
async function liveOn(base: URL, origin: string, cookies: readonly Cookie[], visitor: Visitor): Promise<Finding> {
  const under = (path: string): URL => new URL(`${base.origin}${base.pathname.replace(/\/$/, '')}${path}`)
  const send = (url: URL, jar: readonly Cookie[]): Promise<Visit> => visitor.send('POST', url, new Map([
    ['origin', origin],
    ['cookie', jar.filter(({ path }) => belongs(url.pathname, path)).map(({ name, value }) => `${name}=${value}`)
      .join('; ')],
  ]))
  const refresh = under('/session/refresh')
  const isRefreshToken = ({ name }: Cookie): boolean => parseCookieName(name)?.kind === 'refreshToken'
  const lost = cookies.find(cookie => isRefreshToken(cookie) && !belongs(refresh.pathname, cookie.path))
  if (lost !== undefined) {
    return wrong('cookie path', `${lost.name} has Path=${lost.path}, but browsers refresh at ${refresh.pathname}, `
      + `and do not send it there: `
      + 'correct gatewayPath or basePath.')
  }
  const refreshed = await send(refresh, cookies)
  if (refreshed.status >= 300) {
    return wrong('refresh', `The login worked, but the refresh right after it did not `
      + `(${describeAnswer(refreshed)}): a proxy removes the `
      + 'Cookie header, or another application answers.')
  }
  const renewed = cookiesOf(refreshed)
  const jar = cookies.map(cookie => renewed.find(({ name }) => name === cookie.name) ?? cookie)
  const signedOut = await send(under('/signout'), jar)
  return signedOut.status < 300
    ? fine('life of a session', 'Login, refresh and sign-out work.')
    : wrong('sign-out', `Login and refresh worked, but sign-out did not (${describeAnswer(signedOut)}).`)
}

/** Whether a browser sends a cookie with this path to the path of a URL (RFC 6265 section 5.1.4). */
function belongs(pathname: string, path: string): boolean {
  return pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`)
}
