import { metrics as table, prometheusName } from '../session/metric-table.ts'
import { BUCKETS } from '../session/tally.ts'
import type { Labels, Series, Tally } from '../session/tally.ts'

/**
 * Writes metrics in the text format of Prometheus (0.0.4). `gauges` has the values of each application: those of one
 * metric become one, so that the number of series does not depend on what clients send.
 */
export function writeMetrics(tally: Tally, gauges: readonly Series[]): string {
  const lines: string[] = []
  for (const [name, series] of groupByName([...tally.series(), ...combine(gauges)])) {
    const metric = head(lines, name)
    for (const { labels, value } of series) lines.push(`${metric}${braced(format(labels))} ${value}`)
  }
  for (const [name, series] of groupByName(tally.durations())) {
    const metric = head(lines, name)
    for (const { labels, values: { counts, sum } } of series) {
      const text = format(labels)
      const bucket = (bound: string, value: number): string => (
        `${metric}_bucket{${text}${text === '' ? '' : ','}le="${bound}"} ${value}`
      )
      const count = counts[BUCKETS.length] ?? 0
      BUCKETS.forEach((bound, index) => lines.push(bucket(String(bound), counts[index] ?? 0)))
      lines.push(bucket('+Inf', count))
      lines.push(`${metric}_sum${braced(text)} ${sum}`, `${metric}_count${braced(text)} ${count}`)
    }
  }
  return `${lines.join('\n')}\n`
}

/** Adds the first lines of a metric. Returns its name. */
function head(lines: string[], name: Series['name']): string {
  const metric = prometheusName(name)
  lines.push(`# HELP ${metric} ${table[name].meaning}`, `# TYPE ${metric} ${table[name].kind}`)
  return metric
}

/** One value for each metric, of those of all applications. Pure. */
function combine(gauges: readonly Series[]): readonly Series[] {
  const rules = { sum: (left: number, right: number) => left + right, max: Math.max, min: Math.min }
  return [...groupByName(gauges)].map(([name, series]) => ({
    name,
    labels: {},
    value: series.map(({ value }) => value).reduce((left, right) => rules[table[name].combine](left, right)),
  }))
}

function groupByName<Each extends Pick<Series, 'name'>>(
  series: readonly Each[],
): ReadonlyMap<Series['name'], readonly Each[]> {
  const groups = new Map<Series['name'], Each[]>()
  for (const each of series) groups.set(each.name, [...groups.get(each.name) ?? [], each])
  return groups
}

function format(labels: Labels): string {
  return Object.entries(labels).map(([name, value]) => `${name}="${value}"`).join(',')
}

function braced(labels: string): string {
  return labels === '' ? '' : `{${labels}}`
}
