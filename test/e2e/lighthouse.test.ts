import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TestPackages } from '../support/install-packages.ts'
import { environmentFor } from '../support/servers/programs.ts'
import { createDirectory, removeDirectory } from '../support/servers/workspace.ts'
import { browserPath } from './support/browser.ts'
import { startExample } from './support/example.ts'
import type { Example } from './support/example.ts'

const packages = new TestPackages('e2e/lighthouse', ['--ignore-scripts'])

/** The part of Lighthouse's report that the tests read. */
interface Report {
  readonly categories: Readonly<Record<string, { readonly score: number | null }>>
  readonly audits: Readonly<Record<string, Audit>>
}

interface Audit {
  readonly score: number | null
  readonly numericValue?: number
  readonly details?: { readonly items?: readonly Item[] }
}

interface Item {
  readonly url: string
  readonly resourceType?: string
  readonly transferSize?: number
}

describe.skipIf(browserPath === null)('Lighthouse on the first view of the example', () => {
  let example: Example
  let report: Report
  const directory = createDirectory()

  beforeAll(async () => {
    packages.install('Lighthouse')
    const program = packages.find('Lighthouse', 'lighthouse/cli/index.js')
    if (program === null) throw new Error('Lighthouse could not be installed')
    example = await startExample({})
    const file = join(directory, 'report.json')
    const parameters = [
      program, example.origin, '--output=json', `--output-path=${file}`, '--quiet', '--no-enable-error-reporting',
      '--only-categories=performance,accessibility,best-practices',
      `--chrome-flags=--headless=new --no-sandbox --disable-gpu --user-data-dir=${join(directory, 'profile')}`,
    ]
    const chromium = browserPath ?? ''
    const env = { ...process.env, ...environmentFor(chromium), CHROME_PATH: chromium, HOME: directory }
    const child = spawn(process.execPath, parameters, { env, stdio: ['ignore', 'ignore', 'pipe'] })
    let errors = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => errors += text)
    const [code] = await once(child, 'close')
    expect(code, errors).toBe(0)
    report = JSON.parse(readFileSync(file, 'utf8'))
  }, 600_000)

  afterAll(async () => {
    await example?.stop()
    removeDirectory(directory)
  })

  test.each(['accessibility', 'best-practices'])('finds nothing to improve: %s', category => {
    const failed = Object.entries(report.audits).filter(([, { score }]) => score === 0).map(([name]) => name)
    expect(report.categories[category]?.score, failed.join()).toBe(1)
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
