import { received } from '../base/options.ts'

/** What Keyturn noticed: what came, and what is configured. No member is ever a secret, a token or a cookie's value. */
export type MisconfigurationFacts =
  /** A request was refused with 403. `origin`: its header; null if it has none. */
  | { readonly code: 'UNTRUSTED_ORIGIN'; readonly origin: string | null; readonly configured: string }
  /** A session was created, and nothing serves the refresh endpoint. */
  | { readonly code: 'ROUTES_NOT_MOUNTED'; readonly basePath: string }
  /** A request for one of Keyturn's routes came under another prefix. */
  | { readonly code: 'ROUTES_ELSEWHERE'; readonly path: string; readonly prefix: string; readonly basePath: string }
  | { readonly code: 'ROUTES_MOUNTED_TWICE' }
  | { readonly code: 'NO_SECRET' }
  /** A proxy forwards requests of another origin. */
  | { readonly code: 'PROXY_ORIGIN'; readonly forwarded: string; readonly configured: string }
  /** The address of the client is unknown, or that of a proxy. */
  | { readonly code: 'PROXY_ADDRESS'; readonly address: string | null }
  | { readonly code: 'SHARED_DOMAIN'; readonly domain: string }
  | { readonly code: 'SECOND_COPY'; readonly copies: number }
  | { readonly code: 'NOT_CLOSED'; readonly open: number; readonly issuer: string }
  | { readonly code: 'UNSERIALIZABLE_DATA'; readonly reason: string }

/** A likely mistake in the configuration, and its cure (docs/diagnosis.md). */
export interface Misconfiguration {
  readonly code: MisconfigurationFacts['code']
  /** What came, what is configured, and what to change. */
  readonly message: string
  /** What came, or null. */
  readonly received: string | null
  /** What is configured, or null. */
  readonly configured: string | null
}

/** Reports a misconfiguration: each code once. */
export type ReportMisconfiguration = (facts: MisconfigurationFacts) => void

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
      return found(`a request ${came} was refused with 403; origin is ${received(configured, false)}: ${cure}`, origin, configured)
    }
    case 'ROUTES_NOT_MOUNTED':
      return found('a session was created, but sessionRoutes() of the adapter was never called, so that nothing serves '
        + `${facts.basePath}/session/refresh: mount it, or users must log in again when their access token expires`,
      null, facts.basePath)
    case 'ROUTES_ELSEWHERE': {
      const { path, prefix, basePath } = facts
      return found(`a request for ${received(path, false)} reached no route of Keyturn; basePath is ${received(basePath, false)}: `
        + `set basePath to ${received(prefix, false)}, mount sessionRoutes() at the root, or correct the front end`,
      path, basePath)
    }
    case 'ROUTES_MOUNTED_TWICE':
      return found('sessionRoutes() was called twice on one adapter: mount its result once, before all routes', 2, null)
    case 'NO_SECRET':
      return found('NODE_ENV is production and secret is not set, so that read access to the store is enough to forge '
        + 'access tokens: set secret to at least 32 random characters, and run keyturn keys encrypt', null, null)
    case 'PROXY_ORIGIN': {
      const { forwarded, configured } = facts
      return found(`a proxy forwards requests for ${received(forwarded, false)}; origin is ${received(configured, false)}: `
        + 'set origin to what browsers show, and the proxy to send that host and scheme', forwarded, configured)
    }
    case 'PROXY_ADDRESS':
      return found(`a request has X-Forwarded-For, and the client's address is ${received(facts.address, false)}: trust your `
        + 'proxy in the framework, and pass clientIp to the adapter, or all users have the address of the proxy',
      facts.address, null)
    case 'SHARED_DOMAIN':
      return found(`cookie.domain is ${received(facts.domain, false)}, a suffix that many sites share, so that browsers drop `
        + 'the cookies: leave cookie.domain out, or use a domain of your own', null, facts.domain)
    case 'SECOND_COPY':
      return found(`${facts.copies} copies of keyturn run in this process, so that instanceof fails for errors of the other: `
        + 'see npm ls keyturn; where a bundler makes them, keep keyturn external and use isSessionError', facts.copies, null)
    case 'NOT_CLOSED':
      return found(`createSessions was called ${facts.open} times for ${received(facts.issuer, false)} and close() never, as by `
        + 'hot reload: keep the sessions on globalThis in development, or close them before a reload', facts.open, facts.issuer)
    case 'UNSERIALIZABLE_DATA':
      return found(`a login failed: ${facts.reason}. The JWT payload and the session data must be plain JSON`, null, null)
  }
}

/** What {@link createReporter} needs. */
export interface ReporterParts {
  /** Calls the listener. */
  readonly emit: (event: Misconfiguration) => void
  /** Prints a line; null in production. */
  readonly print: ((line: string) => void) | null
  /** What this process has printed. */
  readonly printed: Set<string>
}

/** Creates the reporter of one `createSessions`. It calls the listener, and prints, once per code. */
export function createReporter({ emit, print, printed }: ReporterParts): ReportMisconfiguration {
  const reported = new Set<string>()
  return facts => {
    const { code } = facts
    if (reported.has(code)) return
    reported.add(code)
    const diagnosis = describeMisconfiguration(facts)
    emit(diagnosis)
    if (print === null || printed.has(code)) return
    printed.add(code)
    print(`keyturn: ${diagnosis.message} (${code}, docs/diagnosis.md)`)
  }
}

/** What all copies of the package in a process know of each other. No behaviour depends on it. */
export interface ProcessRegistry {
  /** One object for each copy. */
  readonly copies: Set<object>
  /** How many sessions of each issuer are open. */
  readonly open: Map<string, number>
  /** The codes that were printed. */
  readonly printed: Set<string>
}

const REGISTRY = Symbol.for('keyturn.process')
const thisCopy = {}

/** The registry of this process, with this copy in it. */
export function processRegistry(host: object = globalThis): ProcessRegistry {
  const known: ProcessRegistry | undefined = Reflect.get(host, REGISTRY)
  const registry = known ?? { copies: new Set(), open: new Map(), printed: new Set() }
  if (known === undefined) Object.defineProperty(host, REGISTRY, { value: registry })
  registry.copies.add(thisCopy)
  return registry
}
