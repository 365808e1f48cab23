/** What a metric is. */
export interface Metric {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  /** In UCUM, as OpenTelemetry's semantic conventions have it: `s`, or what is counted in braces. */
  readonly unit: string
  readonly labels: readonly string[]
  readonly meaning: string
  /** How the values of several applications in one process are combined. */
  readonly combine: 'sum' | 'max' | 'min'
  /** Whether only the standalone server has it. */
  readonly isServerOnly?: boolean
}

/* @__NO_SIDE_EFFECTS__ */
function counter(unit: string, meaning: string, ...labels: readonly string[]): Metric {
  return { kind: 'counter', unit: `{${unit}}`, labels, meaning, combine: 'sum' }
}

/* @__NO_SIDE_EFFECTS__ */
function histogram(meaning: string, ...labels: readonly string[]): Metric {
  return { kind: 'histogram', unit: 's', labels, meaning, combine: 'sum' }
}

/* @__NO_SIDE_EFFECTS__ */
function gauge(unit: string, combine: Metric['combine'], meaning: string): Metric {
  return { kind: 'gauge', unit, labels: [], meaning, combine }
}

/** The name of a metric. */
export type MetricName =
  | 'keyturn.http.requests' | 'keyturn.http.request.duration' | 'keyturn.errors' | 'keyturn.sessions.created'
  | 'keyturn.sessions.refreshed' | 'keyturn.sessions.reauthenticated' | 'keyturn.sessions.revoked'
  | 'keyturn.sessions.imported' | 'keyturn.imports.refused'
  | 'keyturn.token.thefts' | 'keyturn.refreshes.shared' | 'keyturn.refreshes.rejected'
  | 'keyturn.refresh.duration' | 'keyturn.verifications.rejected' | 'keyturn.verifications.unchecked'
  | 'keyturn.token.cache.hits' | 'keyturn.token.cache.misses' | 'keyturn.token.cache.entries'
  | 'keyturn.store.call.duration' | 'keyturn.store.failures' | 'keyturn.feed.age' | 'keyturn.keys.made'
  | 'keyturn.key.age' | 'keyturn.key.rotation.due' | 'keyturn.background.errors'

/** Every metric, by its name in OpenTelemetry. {@link prometheusName} derives the other name. */
export const metrics: Readonly<Record<MetricName, Metric>> = {
  'keyturn.http.requests': {
    ...counter('request', 'Requests that were answered, by HTTP status.', 'status'), isServerOnly: true,
  },
  'keyturn.http.request.duration': { ...histogram('Time from a request to its response.'), isServerOnly: true },
  'keyturn.errors': {
    ...counter('error', 'Requests that failed and were answered with 500 or 503.'),
    isServerOnly: true,
  },
  'keyturn.sessions.created': counter('session', 'Sessions that were created.'),
  'keyturn.sessions.refreshed': counter('session', 'Refreshes, by the case of the rotation table.', 'how'),
  'keyturn.sessions.reauthenticated': counter('session', 'Sessions whose users authenticated again.'),
  'keyturn.sessions.revoked': counter('session', 'Sessions that were revoked, by reason.', 'reason'),
  'keyturn.sessions.imported': counter('session', 'Sessions that were taken over from another system.', 'source'),
  'keyturn.imports.refused': counter('credential', 'Credentials of another system that were refused, by reason.',
    'reason'),
  'keyturn.token.thefts': counter('theft', 'Refresh tokens that two parties used: the session was revoked.'),
  'keyturn.refreshes.shared': counter(
    'refresh', 'Refresh tokens that were given to two networks or user agents.'),
  'keyturn.refreshes.rejected': counter(
    'refresh', 'Refresh tokens with a valid tag that were refused, by reason.', 'reason'),
  'keyturn.refresh.duration': histogram(
    'Time of a refresh. `result`: `refreshed`, `unauthorized`, `theft`, `busy` or `failed`.', 'result'),
  'keyturn.verifications.rejected': counter(
    'verification', 'Access tokens that were rejected. `reason`: `expired`, `revoked` or `unrecognized`.', 'reason'),
  'keyturn.verifications.unchecked': counter(
    'verification', 'Access tokens that were accepted without a revocation check: feed and store failed.'),
  'keyturn.token.cache.hits': counter('lookup', 'Look-ups that found a verified access token in the cache.'),
  'keyturn.token.cache.misses': counter('lookup', 'Look-ups that did not.'),
  'keyturn.token.cache.entries': gauge('{token}', 'sum', 'Verified access tokens in the cache.'),
  'keyturn.store.call.duration': histogram('Time of a call to the store that succeeded, by method.', 'operation'),
  'keyturn.store.failures': counter(
    'call', 'Calls to the store that failed, by method and reason.', 'operation', 'reason'),
  'keyturn.feed.age': gauge('s', 'max', 'Time since the revocation feed was read; 0 while no verification needs it.'),
  'keyturn.keys.made': counter('key', 'Keys that this process created, by purpose.', 'purpose'),
  'keyturn.key.age': gauge('s', 'max', 'Time since the current signing key came into use.'),
  'keyturn.key.rotation.due': gauge(
    's', 'min', 'Time until the next signing key comes into use; negative if it is overdue.'),
  'keyturn.background.errors': counter(
    'error', 'Failed background tasks, which no request waits for, by task.', 'during'),
}

/** The same name in the text format of Prometheus: with its unit, and `_total` for a counter. */
export function prometheusName(name: MetricName): string {
  const { kind, unit } = metrics[name]
  const plain = name.replaceAll('.', '_')
  return `${plain}${unit === 's' ? '_seconds' : ''}${kind === 'counter' ? '_total' : ''}`
}
