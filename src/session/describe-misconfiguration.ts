import { received } from '../base/options.ts'
import type { Misconfiguration, MisconfigurationFacts } from './misconfiguration.ts'

/** Turns facts into a diagnosis. Pure. */
export function describeMisconfiguration(facts: MisconfigurationFacts): Misconfiguration {
  const { code } = facts
  const found = (message: string, came: string | number | null, configured: string | null): Misconfiguration => (
    { code, message, received: came === null ? null : String(came), configured }
  )
  switch (code) {
    case 'UNTRUSTED_ORIGIN': {
      const { origin, configured } = facts
      const came = origin === null ? 'without a header Origin' : `from the origin ${received(origin, false)}`
      const cure = origin === null
        ? 'a client that is no browser sends the header rid, or its tokens in the header Authorization'
        : 'if its page is yours, add that origin to trustedOrigins, or correct origin'
      return found(
        `a request ${came} was refused with 403; origin is ${received(configured, false)}: ${cure}`,
        origin,
        configured,
      )
    }
    case 'ROUTES_NOT_MOUNTED':
      return found('a session was created, but sessionRoutes() of the adapter was never called, so that nothing serves '
        + `${facts.basePath}/session/refresh: mount it, or users must log in again when their access token expires`,
      null, facts.basePath)
    case 'ROUTES_ELSEWHERE': {
      const { path, prefix, basePath } = facts
      return found(`a request for ${received(path, false)} reached no route of Keyturn; basePath is `
        + `${received(basePath, false)}: set basePath to ${received(prefix, false)}, mount sessionRoutes() at the `
        + `root, or correct the front end`,
      path, basePath)
    }
    case 'ROUTES_MOUNTED_TWICE':
      return found('sessionRoutes() was called twice on one adapter: mount its result once, before all routes', 2, null)
    case 'NO_SECRET':
      return found('NODE_ENV is production and secret is not set, so that read access to the store is enough to forge '
        + 'access tokens: set secret to at least 32 random characters, and run keyturn keys encrypt', null, null)
    case 'PROXY_ORIGIN': {
      const { forwarded, configured } = facts
      return found(
        `a proxy forwards requests for ${received(forwarded, false)}; origin is ${received(configured, false)}: `
          + 'set origin to what browsers show, and the proxy to send that host and scheme',
        forwarded,
        configured,
      )
    }
    case 'PROXY_ADDRESS':
      return found(
        `a request has X-Forwarded-For, and the client's address is ${received(facts.address, false)}: trust your `
          + 'proxy in the framework, and pass clientIp to the adapter, or all users have the address of the proxy',
      facts.address, null)
    case 'SHARED_DOMAIN':
      return found(
        `cookie.domain is ${received(facts.domain, false)}, a suffix that many sites share, so that browsers drop `
          + 'the cookies: leave cookie.domain out, or use a domain of your own',
        null,
        facts.domain,
      )
    case 'SECOND_COPY':
      return found(
        `${facts.copies} copies of keyturn run in this process, so that instanceof fails for errors of the other: `
          + 'see npm ls keyturn; where a bundler makes them, keep keyturn external and use isSessionError',
        facts.copies,
        null,
      )
    case 'NOT_CLOSED':
      return found(
        `createSessions was called ${facts.open} times for ${received(facts.issuer, false)} and close() never, as by `
          + 'hot reload: keep the sessions on globalThis in development, or close them before a reload',
        facts.open,
        facts.issuer,
      )
    case 'INVALID_DATA':
      return found(`a request was answered with 400, "invalid data": ${facts.reason}`, null, null)
  }
}
