import { platform } from '#platform'
import { closeOnce } from '../base/close-once.ts'
import { checkOptions } from '../base/options.ts'
import { Tally } from '../session/tally.ts'
import { createStoreOpener, openApplications } from './applications.ts'
import { openServerConsole } from './console/serve-console.ts'
import type { ServerConsole } from './console/serve-console.ts'
import { httpLimits, listen } from './http/listen.ts'
import type { Listener } from './http/listen.ts'
import { createHttpService } from './http/service.ts'
import { createLogger, limitFields } from './log.ts'
import { createDrain } from './drain.ts'
import { createRevocationStreams } from './native/revocations.ts'
import { observeSessions, describeError } from './observe.ts'
import { partRules } from './parts.ts'
import type { ServerParts } from './parts.ts'
import { createRejectedRequestLog } from './rejected-requests.ts'
import { createRouter } from './router.ts'
import { readOptions } from './settings.ts'
import type { ServerSettings } from './settings.ts'
import { sumUpErrors } from './sum-up-errors.ts'
import { createTraces, noTraces } from './traces.ts'
import { isWildcard } from './issuer.ts'
import { kindOfStore } from '../stores/registry.ts'
import { CONSOLE_APP } from './store-place.ts'

/** A running server. */
export interface KeyturnServer {
  /** `http://host:port`. */
  readonly url: string
  /**
   * Stops being ready, waits for `shutdownDelay`, takes no new connections, answers the requests in progress, then
   * closes the stores. All calls return one promise, which settles within `shutdownDelay`, `shutdownTimeout` and
   * another 30 seconds.
   */
  close(): Promise<void>
}

/**
 * Starts a server: opens the stores, creates missing keys, and listens.
 * @throws GeneralError for invalid options or an unusable store; the message says what to fix.
 * @throws the system's error if the server cannot listen on the address, such as `EADDRINUSE`.
 * @example
 * const server = await startServer({ store: 'sqlite:keyturn.db', port: 3567 })
 */
export async function startServer(
  options: Partial<ServerSettings> = {},
  parts: ServerParts = {},
): Promise<KeyturnServer> {
  const settings = readOptions(options)
  checkOptions('startServer', partRules, parts)
  const clock = parts.clock ?? platform.clock
  const logger = parts.logger === undefined
    ? createLogger(settings.logLevel, clock, line => process.stdout.write(line))
    : limitFields(parts.logger)
  for (const words of warningsOf(settings)) logger.warn({}, words)
  const traces = parts.openTelemetry === undefined ? noTraces : createTraces(parts.openTelemetry)
  const tally = new Tally()
  const failures = tally.counter('keyturn.errors')
  const refusals = createRejectedRequestLog(logger, platform.schedule)
  const steady = sumUpErrors(logger, platform.schedule)
  const events = observeSessions(steady, platform.crypto.randomBytes(32))
  const onError = (error: unknown): void => {
    failures.value++
    steady.error({ error: describeError(error) }, 'a request failed')
  }

  const limits = { ...httpLimits, maxConnections: settings.maxConnections, ...parts.limits }
  const bind = (): Promise<Listener> => listen(settings.host, settings.port, limits)
  // With port 0, the default issuer is known only when the server listens. Nobody knows the address before it is
  // logged.
  const early = settings.port === 0 ? await bind() : null
  const place = { ...settings, port: early?.port ?? settings.port }
  const applications = await openApplications(place, parts, { clock, logger, traces, events, tally })
    .catch(async (error: unknown) => {
      await early?.close(0)
      throw error
    })
  let console: ServerConsole | null = null
  const streams = createRevocationStreams({ maxConnections: limits.maxConnections, onError })
  const drain = createDrain(settings.shutdownDelay * 1000, platform.schedule, () => performance.now())
  const route = createRouter({ drain, settings, applications, tally, streams, onError, console: () => console })
  const serve = createHttpService({ drain, settings, route, traces, tally, refusals })
  const listener = early ?? await bind().catch(async (error: unknown) => {
    await applications.close()
    throw error
  })
  if (settings.console) {
    try {
      console = await openServerConsole({
        settings, clock, events,
        apps: applications.apps,
        store: await createStoreOpener(settings, parts, traces)(CONSOLE_APP),
        url: listener.url,
        followStoreTime: parts.clock === undefined,
      })
    } catch (error) {
      await listener.close(0)
      await applications.close()
      throw error
    }
  }
  listener.serve(serve)

  logger.info({ url: listener.url, ...settings.apiKeys.length === 0 ? { apiKeys: 'none' } : {} }, 'listening')
  return {
    url: `${listener.url}${settings.basePath}`,
    close: closeOnce(async () => {
      logger.info({}, 'closing')
      await drain.leave()
      await streams.close()
      await listener.close(settings.shutdownTimeout * 1000)
      await console?.close()
      refusals.flush()
      steady.flush()
      await applications.close()
      logger.info({}, 'closed')
    }),
  }
}

/** The warnings about settings that a server logs when it starts: they work, but protect less than one may expect. */
export function warningsOf(
  { store, secrets, host, issuer, publicOrigin }: Pick<ServerSettings,
  'store' | 'secrets' | 'host' | 'issuer' | 'publicOrigin'>,
): readonly string[] {
  // A file on this machine can be protected by its permissions. Every program with the password can read a database.
  const isReadable = !kindOfStore(store).isFile && secrets.length === 0
  return [
    ...isReadable ? ['the signing keys in the store are not encrypted: read access to the store is enough to forge '
      + 'access tokens. Set --secret (KEYTURN_SECRET) to the same text of at least 32 random characters on every '
      + 'server: openssl rand -hex 32'] : [],
    ...isWildcard(host) && issuer === null && publicOrigin === null
      ? [`--host ${host} is no address that clients can use, `
        + 'so the issuer of access tokens of the native API is 127.0.0.1 with the port. Set --public-origin '
        + '(KEYTURN_PUBLIC_ORIGIN) to the origin at which clients reach the server, or --issuer'] : [],
  ]
}
