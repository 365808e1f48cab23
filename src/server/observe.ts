import { createHmac } from 'node:crypto'
import type { SessionEvents } from '../session/events.ts'
import type { Logger } from './log.ts'
import type { Metrics } from './metrics.ts'

/** Turns what happens to sessions into log lines and counts (LOG-03). Sessions appear as a keyed digest (LOG-01). */
export function observeSessions(logger: Logger, metrics: Metrics, digestKey: Uint8Array): SessionEvents {
  const digest = (handle: string): string => (
    createHmac('sha256', digestKey).update(handle).digest('base64url').slice(0, 16)
  )
  return {
    onSessionCreated({ userId, handle }) {
      metrics.count('keyturn_sessions_created_total')
      logger.info('session created', { session: digest(handle), user: userId })
    },
    onSessionRefreshed({ userId, handle, how }) {
      metrics.count('keyturn_sessions_refreshed_total', { how })
      logger.debug('session refreshed', { session: digest(handle), user: userId, how })
    },
    onSessionRevoked({ handles, reason }) {
      for (const handle of handles) {
        metrics.count('keyturn_sessions_revoked_total', { reason })
        logger.info('session revoked', { session: digest(handle), reason })
      }
    },
    onTokenTheft({ userId, handle, presented, current, sinceRotation, revoked }) {
      metrics.count('keyturn_token_thefts_total')
      logger.warn('a refresh token was used by two parties', {
        session: digest(handle), user: userId, revoked, sinceRotation,
        presentedGeneration: presented.generation, currentGeneration: current.generation,
      })
    },
    onKeyRotated({ kid, purpose }) {
      metrics.count('keyturn_keys_made_total', { purpose })
      logger.info('key made', { key: kid, purpose })
    },
    onBackgroundError({ during, error }) {
      metrics.count('keyturn_background_errors_total')
      logger.error('work in the background failed', { during, error: wordsOf(error) })
    },
    onListenerError({ listener, error }) {
      logger.error('a listener failed', { listener, error: wordsOf(error) })
    },
  }
}

/** The words of an error and of its causes. Our own name no secret; a driver's may name its server (ST-07). */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const words = error.message.replace(/\/\/[^/@\s]*@/g, '//')
  return error.cause === undefined ? words : `${words}: ${wordsOf(error.cause)}`
}
