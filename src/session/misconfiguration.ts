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
  /** A request was refused with 400, and only the schema of the application may refuse data of its users. */
  | { readonly code: 'INVALID_DATA'; readonly reason: string }

/** A likely mistake in the configuration, and its cure (docs/diagnosis.md). */
export interface Misconfiguration {
  /** The stable code of the mistake: docs/diagnosis.md lists them. */
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

/** What {@link createReporter} needs. */
export interface ReporterParts {
  /** Calls the listener. */
  readonly emit: (event: Misconfiguration) => void
  /** Prints a line; null in production. */
  readonly print: ((line: string) => void) | null
  /** What this process has printed. */
  readonly printed: Set<string>
}

/**
 * Creates the reporter of one `createSessions`. It calls the listener, and prints, once per code. The texts are loaded
 * when they are first needed.
 */
export function createReporter({ emit, print, printed }: ReporterParts): ReportMisconfiguration {
  const reported = new Set<string>()
  return facts => {
    const { code } = facts
    if (reported.has(code)) return
    reported.add(code)
    const isPrinted = print === null || printed.has(code)
    printed.add(code)
    import('./describe-misconfiguration.ts').then(({ describeMisconfiguration }) => {
      const found = describeMisconfiguration(facts)
      emit(found)
      if (!isPrinted) print(`keyturn: ${found.message} (${code}, docs/diagnosis.md)`)
    }, () => {
      // A bundle that lost the texts must not end the process.
    })
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
