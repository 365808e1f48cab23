import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { TestPackages } from '../../support/install-packages.ts'
import { environmentFor } from '../../support/servers/programs.ts'
import { createDirectory, removeDirectory } from '../../support/servers/workspace.ts'
import { browserPath } from './browser.ts'

const packages = new TestPackages('e2e/lighthouse', ['--ignore-scripts'])

/** The part of Lighthouse's report that the tests read. */
export interface Report {
  readonly categories: Readonly<Record<string, { readonly score: number | null }>>
  readonly audits: Readonly<Record<string, Audit>>
}

/** One question of the report, and its answer. */
export interface Audit {
  readonly score: number | null
  readonly numericValue?: number
  readonly details?: { readonly items?: readonly Item[] }
}

/** A request that the page has sent. */
export interface Item {
  readonly url: string
  readonly resourceType?: string
  readonly transferSize?: number
}

/** Installs Lighthouse if necessary, and examines the first view of a page in Chromium. */
export async function examine(url: string, categories: readonly string[]): Promise<Report> {
  packages.install('Lighthouse')
  const program = packages.find('Lighthouse', 'lighthouse/cli/index.js')
  if (program === null) throw new Error('Lighthouse could not be installed')
  const directory = createDirectory()
  const file = join(directory, 'report.json')
  const parameters = [
    program, url, '--output=json', `--output-path=${file}`, '--quiet', '--no-enable-error-reporting',
    `--only-categories=${categories.join()}`,
    `--chrome-flags=--headless=new --no-sandbox --disable-gpu --user-data-dir=${join(directory, 'profile')}`,
  ]
  const chromium = browserPath ?? ''
  const env = { ...process.env, ...environmentFor(chromium), CHROME_PATH: chromium, HOME: directory }
  try {
    const child = spawn(process.execPath, parameters, { env, stdio: ['ignore', 'ignore', 'pipe'] })
    let errors = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => errors += text)
    const [code] = await once(child, 'close')
    if (code !== 0) throw new Error(`Lighthouse ended with ${String(code)}: ${errors}`)
    return JSON.parse(readFileSync(file, 'utf8'))
  } finally {
    removeDirectory(directory)
  }
}

/** The names of the audits that failed. */
export function failedAudits({ audits }: Report): string {
  return Object.entries(audits).filter(([, { score }]) => score === 0).map(([name]) => name).join()
}
