import { createHmac } from 'node:crypto'
import type { RefreshEvidence, SessionEvents } from '../session/events.ts'
import type { LogFields, Logger } from './log.ts'

/**
 * Logs the events of sessions (LOG-03); the engine counts them. A session appears as a keyed digest of its handle
 * (LOG-01).
 */
export function observeSessions(logger: Logger, digestKey: Uint8Array): SessionEvents {
  const digest = (handle: string): string => (
    createHmac('sha256', digestKey).update(handle).digest('base64url').slice(0, 16)
  )
  const fields = ({ userId, handle, presented, current }: RefreshEvidence): LogFields => ({
    session: digest(handle),
    user: userId,
    generation: presented.generation,
    branch: presented.branch,
    ip: presented.by.ip,
    userAgent: presented.by.userAgent,
    currentGeneration: current.generation,
    currentBranch: current.branch,
    currentAt: current.at,
    currentIp: current.by.ip,
    currentUserAgent: current.by.userAgent,
  })
  return {
    onSessionCreated({ userId, handle }) {
      logger.info({ session: digest(handle), user: userId }, 'session created')
    },
    onSessionRefreshed({ userId, handle, how }) {
      logger.debug({ session: digest(handle), user: userId, how }, 'session refreshed')
    },
    onSessionReauthenticated({ userId, handle }) {
      logger.info({ session: digest(handle), user: userId }, 'session reauthenticated')
    },
    onSessionRevoked({ handles, reason }) {
      // A user may have thousands of sessions: one line tells of all.
      const [first = ''] = handles
      if (handles.length === 1) logger.info({ session: digest(first), reason }, 'session revoked')
      else logger.info({ count: handles.length, reason }, 'sessions revoked')
    },
    onTokenTheft({ revoked, ...evidence }) {
      logger.warn({ revoked, ...fields(evidence) }, 'a refresh token was used by two parties')
    },
    onRefreshShared({ revoked, ...evidence }) {
      logger.warn({ revoked, ...fields(evidence) }, 'a refresh token was given to two networks or user agents')
    },
    onRefreshRejected({ reason, ...evidence }) {
      logger.warn({ reason, ...fields(evidence) }, reason === 'forged'
        ? 'a refresh key has leaked: a refresh token was made with it'
        : 'a refresh token from before a re-authentication was refused')
    },
    onKeyRotated({ kid, purpose }) {
      logger.info({ key: kid, purpose }, 'key made')
    },
    onBackgroundError({ during, error }) {
      logger.error({ during, error: describeError(error) }, 'a background task failed')
    },
    onListenerError({ listener, error }) {
      logger.error({ listener, error: describeError(error) }, 'a listener failed')
    },
  }
}

/** The messages of an error and its causes. Keyturn's contain no secrets; a driver's may contain a URL (ST-07). */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const words = hideCredentials(error.message)
  return error.cause === undefined ? words : `${words}: ${describeError(error.cause)}`
}

/** The same text without the user and password of any URL in it. A password may contain `@`: the last one counts. */
export function hideCredentials(words: string): string {
  return words.replace(/\/\/[^/\s]*@/g, '//')
}
