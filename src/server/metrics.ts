/** Counters and histograms, in the text format of Prometheus (0.0.4). */
export interface Metrics {
  /** Adds one to a counter. Names and labels must be constants of the program, never texts from a client. */
  count(name: string, labels?: Readonly<Record<string, string>>): void
  /** Adds a duration, in seconds, to a histogram. */
  observe(name: string, seconds: number, labels?: Readonly<Record<string, string>>): void
  /** All metrics as text. */
  write(): string
}

/** The help text of each metric. */
const descriptions: Readonly<Record<string, string>> = {
  keyturn_http_requests_total: 'Requests that were answered, by HTTP status.',
  keyturn_http_request_duration_seconds: 'Time from a request to its response, in seconds.',
  keyturn_sessions_created_total: 'Sessions that were created.',
  keyturn_sessions_refreshed_total: 'Refreshes, by the case of the rotation table.',
  keyturn_sessions_reauthenticated_total: 'Sessions whose users authenticated again.',
  keyturn_sessions_revoked_total: 'Sessions that were revoked, by reason.',
  keyturn_token_thefts_total: 'Refresh tokens that two parties used: the session was revoked.',
  keyturn_refreshes_shared_total: 'Refresh tokens that were given to two networks or user agents.',
  keyturn_refreshes_rejected_total: 'Refresh tokens with a valid tag that were refused, by reason.',
  keyturn_keys_made_total: 'Keys that this process created, by purpose.',
  keyturn_background_errors_total: 'Failed background tasks, which no request waits for.',
  keyturn_errors_total: 'Requests that were answered with 500.',
}

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

interface Histogram {
  readonly counts: number[]
  sum: number
  count: number
}

/** Creates the metrics of one process. */
export function createMetrics(): Metrics {
  const counters = new Map<string, Map<string, number>>()
  const histograms = new Map<string, Map<string, Histogram>>()
  return {
    count(name, labels = {}) {
      const series = counters.get(name) ?? new Map<string, number>()
      counters.set(name, series)
      const key = format(labels)
      series.set(key, (series.get(key) ?? 0) + 1)
    },
    observe(name, seconds, labels = {}) {
      const series = histograms.get(name) ?? new Map<string, Histogram>()
      histograms.set(name, series)
      const key = format(labels)
      const histogram = series.get(key) ?? { counts: BUCKETS.map(() => 0), sum: 0, count: 0 }
      series.set(key, histogram)
      BUCKETS.forEach((bound, index) => {
        if (seconds <= bound) histogram.counts[index] = (histogram.counts[index] ?? 0) + 1
      })
      histogram.sum += seconds
      histogram.count += 1
    },
    write() {
      const lines: string[] = []
      for (const [name, series] of counters) {
        lines.push(`# HELP ${name} ${descriptions[name] ?? name}`, `# TYPE ${name} counter`)
        for (const [labels, value] of series) lines.push(`${name}${braced(labels)} ${value}`)
      }
      for (const [name, series] of histograms) {
        lines.push(`# HELP ${name} ${descriptions[name] ?? name}`, `# TYPE ${name} histogram`)
        for (const [labels, { counts, sum, count }] of series) {
          const bucket = (bound: string, value: number): string => (
            `${name}_bucket{${labels}${labels === '' ? '' : ','}le="${bound}"} ${value}`
          )
          BUCKETS.forEach((bound, index) => lines.push(bucket(String(bound), counts[index] ?? 0)))
          lines.push(bucket('+Inf', count))
          lines.push(`${name}_sum${braced(labels)} ${sum}`, `${name}_count${braced(labels)} ${count}`)
        }
      }
      return `${lines.join('\n')}\n`
    },
  }
}

function format(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels).map(([name, value]) => `${name}="${value}"`).join(',')
}

function braced(labels: string): string {
  return labels === '' ? '' : `{${labels}}`
}
