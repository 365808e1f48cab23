// Writes the table of metrics of docs/health-and-metrics.md from the table in the code: npm run reference
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { metrics, prometheusName } from '../src/session/metric-table.ts'
import type { MetricName } from '../src/session/metric-table.ts'

/** The path of the page that contains the table. */
export const pagePath: string = join(import.meta.dirname, '../docs/health-and-metrics.md')

const begin = '<!-- Written by scripts/metrics.ts from the table of metrics. Do not edit. -->\n'
const end = '<!-- End of the table of metrics. -->'

/** The names of all metrics. */
export const metricNames: readonly MetricName[] = Object.keys(metrics)
  .filter((name): name is MetricName => name in metrics)

/** Writes the table. */
export function writeTable(): string {
  const rows = metricNames.map(name => {
    const { kind, unit, labels, meaning, isServerOnly } = metrics[name]
    const cells = [
      `\`${name}\``, `\`${prometheusName(name)}\``, kind, `\`${unit}\``, labels.map(label => `\`${label}\``).join(', '),
      isServerOnly === true ? `${meaning} Standalone server only.` : meaning,
    ]
    return `| ${cells.join(' | ')} |`
  })
  const head = ['| OpenTelemetry | Prometheus | kind | unit | labels | meaning |', '|---|---|---|---|---|---|']
  return [...head, ...rows, ''].join('\n')
}

/** The page with the table of the code. */
export function writePage(page: string): string {
  const [before, rest = ''] = page.split(begin)
  const [, after = ''] = rest.split(end)
  return `${before}${begin}${writeTable()}${end}${after}`
}

if (import.meta.main) writeFileSync(pagePath, writePage(readFileSync(pagePath, 'utf8')))
