import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { platform } from '#platform'
import type { Duration } from '../base/duration.ts'
import type { Clock } from '../base/time.ts'
import type { SessionEvents } from '../session/events.ts'
import { createPolicy } from '../session/policy.ts'
import type { PolicyOptions } from '../session/policy.ts'
import { readGauges } from '../session/gauges.ts'
import type { SessionStore } from '../session/store.ts'
import type { Series, Tally } from '../session/tally.ts'
import { createMemoryStore } from '../stores/memory.ts'
import { openStoreByUrl } from '../stores/registry.ts'
import { createApiKeyCheck } from './api-keys.ts'
import { applicationNameOf } from './app-id.ts'
import { createApplication } from './application.ts'
import type { Application } from './application.ts'
import { createDynamicApplications } from './cdi/dynamic-applications.ts'
import type { DynamicApplications } from './cdi/dynamic-applications.ts'
import { issuerOf } from './issuer.ts'
import type { Logger } from './log.ts'
import type { ServerParts } from './parts.ts'
import type { ServerSettings } from './settings.ts'
import { locateStore } from './store-place.ts'
import type { Traces } from './traces.ts'
import { waitForStore } from './wait-for-store.ts'
import type { StoreWait } from './wait-for-store.ts'

/** The applications that a server serves. */
export interface Applications {
  /** By id. `public` always exists. */
  readonly apps: ReadonlyMap<string, Application>
  /** Creates applications on demand; null: only the applications of the settings are served. */
  readonly dynamicApplications: DynamicApplications | null
  /** Whether a request may call endpoints that are not public. */
  isAllowed(request: IncomingMessage, appId: string): boolean
  /** Whether every application can verify, and its store answers. Never rejects, and takes 2 seconds at most. */
  isReady(): Promise<boolean>
  /** The gauges of all applications. */
  gauges(): readonly Series[]
  /** Removes the applications that were created on demand, then closes the others. */
  close(): Promise<void>
}

interface ApplicationsDependencies {
  readonly clock: Clock
  readonly logger: Logger
  readonly traces: Traces
  readonly events: SessionEvents
  /** Counts what happens in all applications. */
  readonly tally: Tally
}

/** How long a server waits for a store when it starts. */
const START_LIMIT: Duration = '1m'

/** Returns the function that opens the store of an application. */
export function createStoreOpener(
  settings: ServerSettings,
  parts: ServerParts,
  traces: Traces,
): (appId: string) => Promise<SessionStore> {
  return async appId => {
    if (parts.openStore !== undefined) return traces.store(await parts.openStore(appId), null)
    const { url, kind, naming } = locateStore(settings, appId)
    return traces.store(await openStoreByUrl(url, {
      ...naming,
      migrate: settings.migrate,
      ...settings.poolSize === null ? {} : { poolSize: settings.poolSize },
    }), kind)
  }
}

/** Opens the stores of the applications that the settings name, and starts them. If one fails, all are closed. */
export async function openApplications(
  settings: ServerSettings,
  parts: ServerParts,
  { clock, logger, traces, events, tally }: ApplicationsDependencies,
): Promise<Applications> {
  const { crypto, schedule } = platform
  const appIds = ['public', ...settings.apps]
  const apps = new Map<string, Application>()
  const isAllowed = createApiKeyCheck(settings.apiKeys)

  const open = createStoreOpener(settings, parts, traces)

  async function start(appId: string, store: SessionStore, options: PolicyOptions): Promise<Application> {
    const app = createApplication({
      store, crypto, clock, schedule, events, tally,
      issuer: issuerOf(settings, appId),
      maxPayloadBytes: settings.maxPayloadBytes,
      application: { name: applicationNameOf(appId), audience: settings.audience },
      followStoreTime: parts.clock === undefined,
      policy: createPolicy({ ...policyOf(settings), ...options }),
      entropy: crypto.randomBytes,
      secrets: settings.secrets,
      imports: parts.imports?.(appId) ?? null,
    })
    try {
      // A key that another process removes is refused as soon as the change log has been read.
      await app.ready({ timeout: START_LIMIT })
    } catch (error) {
      await app.close()
      throw error
    }
    app.cleanup.start()
    return app
  }

  // Without API keys, only programs on this machine use the server. Applications that they create are for tests, and
  // are kept in memory.
  const dynamicApplications = settings.apiKeys.length > 0 ? null : createDynamicApplications({
    apps,
    fixed: new Set(appIds),
    async open(appId, options) {
      logger.warn({}, 'a request created an application: its sessions are kept in memory and end with the server. '
        + 'To keep the sessions of an application, name it with --app')
      return start(appId, createMemoryStore(), options)
    },
  })

  async function close(): Promise<void> {
    await dynamicApplications?.close()
    // Each of them, also if another one fails.
    const outcomes = await Promise.allSettled([...apps.values()].map(app => app.close()))
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  }

  const waitUntil = performance.now() + settings.storeWait * 1000
  const wait = (): StoreWait => ({
    limit: Math.max(0, waitUntil - performance.now()),
    logger,
    signal: parts.signal ?? null,
    now: () => performance.now(),
    pause: time => sleep(time, null, { signal: parts.signal }).catch(() => null),
  })

  try {
    for (const appId of appIds) {
      apps.set(appId, await waitForStore(async () => start(appId, await open(appId), {}), wait()))
    }
  } catch (error) {
    await close()
    throw error
  }
  return {
    apps,
    dynamicApplications,
    isAllowed: (request, appId) => dynamicApplications?.isAllowed(request, appId) ?? isAllowed(request),
    async isReady() {
      const found = await Promise.all([...apps.values()].map(app => app.health()))
      return found.every(({ status, store }) => status !== 'failing' && store.isReachable)
    },
    gauges: () => [...apps.values()].flatMap(readGauges),
    close,
  }
}

function policyOf(settings: ServerSettings): PolicyOptions {
  const { reuseInterval, sessionLifetime, maxSessionsPerUser } = settings
  return {
    accessTokenLifetime: settings.accessTokenValidity,
    idleTimeout: settings.refreshTokenValidity,
    keyRotationInterval: settings.keyRotationInterval,
    maxSessionInfoBytes: settings.maxSessionDataBytes,
    ...reuseInterval === null ? {} : { reuseInterval },
    ...sessionLifetime === null ? {} : { absoluteTimeout: sessionLifetime },
    ...maxSessionsPerUser === null ? {} : { maxSessionsPerUser },
  }
}
