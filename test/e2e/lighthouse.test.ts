import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browserPath } from './support/browser.ts'
import { startExample } from './support/example.ts'
import type { Example } from './support/example.ts'
import { examine, failedAudits } from './support/lighthouse.ts'
import type { Item, Report } from './support/lighthouse.ts'

describe.skipIf(browserPath === null)('Lighthouse on the first view of the example', () => {
  let example: Example
  let report: Report

  beforeAll(async () => {
    example = await startExample({})
    report = await examine(example.origin, ['performance', 'accessibility', 'best-practices'])
  }, 600_000)

  afterAll(async () => {
    await example?.stop()
  })

  test.each(['accessibility', 'best-practices'])('finds nothing to improve: %s', category => {
    expect(report.categories[category]?.score, failedAudits(report)).toBe(1)
  })

  test('keeps its budgets: script, bytes, requests, layout shift, and no other origin', () => {
    const items = report.audits['network-requests']?.details?.items ?? []
    const sent = items.filter(({ url }) => url.startsWith('http'))
    const sum = (list: readonly Item[]): number => list.reduce((total, { transferSize = 0 }) => total + transferSize, 0)
    expect(sent.filter(({ url }) => !url.startsWith(example.origin))).toEqual([])
    expect(sum(sent.filter(({ resourceType }) => resourceType === 'Script'))).toBeLessThan(50_000)
    expect(sum(sent)).toBeLessThan(65_000)
    expect(sent.length).toBeLessThanOrEqual(32)
    expect(report.audits['cumulative-layout-shift']?.numericValue).toBeLessThan(0.02)
  })
})
