import type { Emit, SessionEventMap } from './events.ts'
import type { MetricName } from './metric-table.ts'
import type { Tally } from './tally.ts'

/** A metric, and the member of the event that is its label. */
type Count<Name extends keyof SessionEventMap> = readonly [metric: MetricName, label?: keyof SessionEventMap[Name]]

/** How each event is counted. */
const counts: { readonly [Name in keyof SessionEventMap]?: Count<Name> } = {
  onSessionCreated: ['keyturn.sessions.created'],
  onSessionRefreshed: ['keyturn.sessions.refreshed', 'how'],
  onSessionReauthenticated: ['keyturn.sessions.reauthenticated'],
  onSessionImported: ['keyturn.sessions.imported', 'source'],
  onImportRefused: ['keyturn.imports.refused', 'reason'],
  onSessionRevoked: ['keyturn.sessions.revoked', 'reason'],
  onTokenTheft: ['keyturn.token.thefts'],
  onRefreshShared: ['keyturn.refreshes.shared'],
  onRefreshRejected: ['keyturn.refreshes.rejected', 'reason'],
  onKeyRotated: ['keyturn.keys.made', 'purpose'],
  onBackgroundError: ['keyturn.background.errors', 'during'],
  onUncheckedRevocation: ['keyturn.verifications.unchecked'],
}

/** The values of a label that alerts wait for. */
const rejections: readonly SessionEventMap['onRefreshRejected']['reason'][] = ['forged', 'superseded']

/** Counts each event before it goes to the listeners. */
export function countEvents(emit: Emit, tally: Tally): Emit {
  // From 0 on: for Prometheus, a series that begins with 1 has not increased.
  for (const [metric, label] of Object.values(counts)) if (label === undefined) tally.counter(metric)
  for (const reason of rejections) tally.counter('keyturn.refreshes.rejected', { reason })
  return (name, event) => {
    const [metric, label] = counts[name] ?? []
    if (metric !== undefined) {
      const labels = label === undefined ? {} : { [label]: String(event[label]) }
      tally.counter(metric, labels).value += 'handles' in event ? event.handles.length : 1
    }
    emit(name, event)
  }
}
