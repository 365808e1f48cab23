// docs/operations and docs/health-and-metrics.md against the table of metrics.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { metricNames, pagePath, writePage, writeTable } from '../../scripts/metrics.ts'
import { metrics, prometheusName } from '../../src/session/metric-table.ts'

const docs = join(import.meta.dirname, '../../docs')
const read = (path: string): string => readFileSync(join(docs, path), 'utf8')

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly for: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook_url: string }
}

interface Panel {
  readonly id: number
  readonly title: string
  readonly targets: readonly { readonly expr: string; readonly refId: string }[]
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
}

const { groups }: { readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[] } =
  parse(read('operations/alerts.yml'))
const rules = groups.flatMap(group => group.rules)
const dashboard: {
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { readonly query: string }[] }
} = JSON.parse(read('operations/keyturn.json'))
const expressions = [
  ...rules.map(({ alert, expr }) => [alert, expr] as const),
  ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
]

/** The labels of each series in Prometheus. */
const series = new Map(metricNames.flatMap(name => {
  const { kind, labels } = metrics[name]
  const text = prometheusName(name)
  if (kind !== 'histogram') return [[text, labels] as const]
  return [[`${text}_bucket`, [...labels, 'le']] as const, [`${text}_sum`, labels] as const,
    [`${text}_count`, labels] as const]
}))
/** The label that Prometheus adds. */
const added = ['instance']
const functions = ['rate', 'increase', 'histogram_quantile']
const aggregations = ['sum', 'max', 'min']
const duration = /^\[(?:\d+[smhd]|\$__rate_interval)\]$/

/**
 * Reads an expression of the part of PromQL that these files use, and returns the series in it with their labels.
 * @throws an error for anything else
 */
function readExpression(text: string): readonly (readonly [series: string, labels: readonly string[]])[] {
  const tokens = text.match(/\[[^\]]*\]|"[^"]*"|=~|!=|!~|[<>]=?|[A-Za-z_][\w]*|\d+(?:\.\d+)?[smhd]?|\S/g) ?? []
  const found: (readonly [string, readonly string[]])[] = []
  let at = 0
  const next = (): string => tokens[at] ?? ''
  const take = (wanted?: string): string => {
    const token = next()
    if (wanted !== undefined && token !== wanted) throw new Error(`"${token}" in place of "${wanted}" in ${text}`)
    at += 1
    return token
  }
  const namesUntil = (close: string): string[] => {
    const names: string[] = []
    while (next() !== close) {
      names.push(take())
      if (next() !== close) take(',')
    }
    take(close)
    return names
  }

  function expression(): void {
    operand()
    while (/^(?:[-+*/]|[<>]=?)$/.test(next())) {
      take()
      operand()
    }
  }

  function operand(): void {
    if (next() === '-') take()
    const token = take()
    if (/^\d/.test(token)) return
    if (token === '(') {
      expression()
      take(')')
      return
    }
    let grouping: readonly string[] = []
    if (aggregations.includes(token)) {
      const before = found.length
      if (next() === 'by') {
        take('by')
        take('(')
        grouping = namesUntil(')')
      }
      take('(')
      expression()
      take(')')
      for (const [name] of found.slice(before)) found.push([name, grouping])
      return
    }
    if (functions.includes(token)) {
      take('(')
      expression()
      while (next() === ',') {
        take(',')
        expression()
      }
      take(')')
      return
    }
    selector(token)
  }

  function selector(name: string): void {
    if (!/^[a-z_]+$/.test(name)) throw new Error(`"${name}" is no series in ${text}`)
    const labels: string[] = []
    if (next() === '{') {
      take('{')
      while (next() !== '}') {
        labels.push(take())
        if (!/^(?:=|!=|=~|!~)$/.test(take())) throw new Error(`no matcher in ${text}`)
        if (!take().startsWith('"')) throw new Error(`no value in ${text}`)
        if (next() !== '}') take(',')
      }
      take('}')
    }
    if (next().startsWith('[') && !duration.test(take())) throw new Error(`no range in ${text}`)
    if (next() === 'offset') {
      take()
      take()
    }
    found.push([name, labels])
  }

  expression()
  if (at < tokens.length) throw new Error(`"${next()}" is left over in ${text}`)
  return found
}

describe('L-36: docs/operations', () => {
  test.each(expressions)('L-36: %s uses metrics and labels that exist: %s', (_, expr) => {
    for (const [name, labels] of readExpression(expr)) {
      expect([...series.keys()]).toContain(name)
      for (const label of labels) expect([...series.get(name) ?? [], ...added], `${name} in ${expr}`).toContain(label)
    }
  })

  test('L-36: the check notices what is wrong', () => {
    for (const wrong of [
      'sum(rate(a[5m])', 'rate(a[5])', 'sum by (x rate(a[5m]))', 'a b', 'a{x}', 'a{x="y"', 'rate(a[5m]) >', '', 'sum()',
    ]) expect(() => readExpression(wrong), wrong).toThrow()
    expect(readExpression('sum by (x) (rate(a{y="1"}[5m])) > 2')).toEqual([['a', ['y']], ['a', ['x']]])
  })

  test('L-36: range functions get a range, and counters are read by them', () => {
    for (const [, expr] of expressions) {
      for (const [call = '', name = ''] of expr.matchAll(/(\w+)(?=\{|\[| |\)|$)/g)) {
        if (!name.endsWith('_total') && !/_(?:bucket|count)$/.test(name)) continue
        const before = expr.slice(0, expr.indexOf(call))
        expect(before, `${name} in ${expr}`).toMatch(/(?:rate|increase)\($/)
      }
    }
  })

  test('L-36: each alert has a severity, its words and a chapter of the incident handbook', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length)
    const handbook = existsSync(join(docs, 'production.md')) ? read('production.md') : null
    const anchors = handbook?.match(/^## .*$/gm)?.map(heading => heading.slice(3).toLowerCase().replaceAll(' ', '-'))
    for (const { alert, for: delay, labels, annotations } of rules) {
      expect(alert).toMatch(/^Keyturn[A-Z]\w+$/)
      expect(delay).toMatch(/^\d+m$/)
      expect(['critical', 'warning']).toContain(labels.severity)
      expect(annotations.summary.length, alert).toBeGreaterThan(20)
      expect(annotations.description, alert).toMatch(/\.$/)
      const [, anchor = ''] = /^docs\/production\.md#([a-z-]+)$/.exec(annotations.runbook_url) ?? []
      expect(anchor, alert).not.toBe('')
      if (anchors !== undefined) expect(anchors, alert).toContain(anchor)
    }
  })

  test('L-36: every metric of an embedded application is in the dashboard or an alert', () => {
    const used = new Set(expressions.flatMap(([, expr]) => readExpression(expr).map(([name]) => name)))
    const unused = metricNames.filter(name => ![...used].some(each => each.startsWith(prometheusName(name))))
    // Rare, or seen by another metric.
    expect(unused).toEqual(['keyturn.sessions.reauthenticated', 'keyturn.keys.made'])
  })

  test('L-36: panels have ids of their own, and do not lie on each other', () => {
    const places = dashboard.panels.map(({ gridPos: { x, y } }) => `${x} ${y}`)
    expect(new Set(places).size).toBe(places.length)
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(places.length)
    const [, metric = ''] = /^label_values\((\w+), instance\)$/.exec(dashboard.templating.list[1]?.query ?? '') ?? []
    expect([...series.keys()]).toContain(metric)
  })
})

test('L-36: the table in docs/health-and-metrics.md is the one of the code', () => {
  const page = readFileSync(pagePath, 'utf8')
  expect(page).toContain(writeTable())
  expect(page).toBe(writePage(page))
})
