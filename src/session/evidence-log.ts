import type { Entropy } from '../base/entropy.ts'
import { GeneralError } from '../base/errors.ts'
import { parseHandle } from '../base/handle.ts'
import { longLivedHost } from '../base/host.ts'
import type { Host } from '../base/host.ts'
import type { Scheduler } from '../base/scheduler.ts'
import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import { appendEvent } from './event-log.ts'
import type { NewEvent } from './event-log.ts'
import type { Emit, RefreshEvidence, SessionEventMap } from './events.ts'
import type { EventKind, SessionStore } from './store.ts'

/** The events about suspicious refreshes. */
export type EvidenceName = 'onTokenTheft' | 'onRefreshShared' | 'onRefreshRejected'

/** The kind of each of them in the event log. */
const kinds: Readonly<Record<EvidenceName, EventKind>> = {
  onTokenTheft: 'theft',
  onRefreshShared: 'shared',
  onRefreshRejected: 'rejected',
}

/**
 * Reports suspicious refreshes to the listeners, and keeps them in the event log: in batches, after the responses.
 * Where no timer outlives a request, each is written beside its request.
 */
export interface EvidenceLog {
  /** Emits the event and queues it for the event log. */
  report<Name extends EvidenceName>(name: Name, evidence: SessionEventMap[Name] & RefreshEvidence): void
  /** Writes the queue to the store and stops. Never rejects: if a write fails, the event is dropped. */
  close(): Promise<void>
}

interface EvidenceDependencies {
  readonly store: Pick<SessionStore, 'appendEvent'>
  /** Default: one where timers outlive requests. */
  readonly host?: Host
  readonly entropy: Entropy
  readonly schedule: Scheduler
  readonly emit: Emit
  readonly onError: (error: unknown) => void
}

const FLUSH_DELAY: Milliseconds = 100

/** For how long a refresh token that is presented again, in the same way, is the same event. */
const REPEATED_WITHIN: Milliseconds = 3_600_000

/** How many events of each kind a process writes within that time. A client with an old token can cause any number. */
export const MOST_EVENTS = 1000

/** Creates the queue of one process. */
export function createEvidenceLog(dependencies: EvidenceDependencies): EvidenceLog {
  const { store, host = longLivedHost, entropy, schedule, emit, onError } = dependencies
  const written = new Map<EvidenceName, Recent>()
  let queue: NewEvent[] = []
  let cancel: (() => void) | null = null
  let flushing: Promise<void> = Promise.resolve()

  async function write(events: readonly NewEvent[]): Promise<void> {
    for (const event of events) {
      try {
        await appendEvent({ store, entropy }, event)
      } catch (error) {
        onError(error)
      }
    }
  }

  function flush(): Promise<void> {
    cancel?.()
    cancel = null
    const events = queue
    queue = []
    flushing = flushing.then(() => write(events))
    return flushing
  }

  function isNew(name: EvidenceName, { handle, presented: { generation, branch, at } }: RefreshEvidence): boolean {
    const recent = written.get(name) ?? { tokens: new Map(), isFull: false }
    written.set(name, recent)
    const answer = remember(recent, `${handle} ${generation} ${branch}`, at)
    if (answer === 'full') {
      onError(new GeneralError('MISUSE', `${name} was emitted for more than ${MOST_EVENTS} refresh tokens within an `
        + 'hour: the event log does not get any more of them until some are an hour old'))
    }
    return answer === 'new'
  }

  return {
    report(name, evidence): void {
      emit(name, evidence)
      if (!isNew(name, evidence)) return
      const { userId, handle, ...detail } = evidence
      const event = { kind: kinds[name], at: evidence.presented.at, userId, handle: parseHandle(handle), detail }
      if (!host.isLongLived) return host.keepAlive(write([event]))
      queue.push(event)
      cancel ??= schedule(() => void flush(), FLUSH_DELAY)
    },
    close: flush,
  }
}

/** The refresh tokens whose events were written within the last hour, oldest first. */
interface Recent {
  readonly tokens: Map<string, EpochMilliseconds>
  /** Whether further ones are not written. */
  isFull: boolean
}

/** Remembers a token. `full`: the first one that is not remembered because there are too many. */
function remember(recent: Recent, token: string, at: EpochMilliseconds): 'new' | 'known' | 'full' {
  const { tokens } = recent
  for (const [oldest, since] of tokens) {
    if (at - since < REPEATED_WITHIN) break
    tokens.delete(oldest)
  }
  if (tokens.has(token)) return 'known'
  if (tokens.size < MOST_EVENTS) {
    tokens.set(token, at)
    recent.isFull = false
    return 'new'
  }
  if (recent.isFull) return 'known'
  recent.isFull = true
  return 'full'
}
