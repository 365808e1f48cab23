// The example for Cloudflare Workers, as it is deployed: bundled from the published files, minified, and run in
// Miniflare.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { printD1Migrations } from '../../src/stores/d1.ts'
import { driveSession, examples } from '../support/drive-example.ts'
import { createMiniflare, hasEdgePackages } from '../support/edge-packages.ts'
import { freePort } from '../support/servers/workspace.ts'

const root = join(examples, '..')
const example = join(examples, 'cloudflare-d1')
const limit = 72_000

describe('the example for Cloudflare Workers', () => {
  let folder: string
  let script: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'keyturn-worker-'))
    // The example has a package of its own, in which `npm install` would do this.
    mkdirSync(join(folder, 'node_modules'))
    symlinkSync(root, join(folder, 'node_modules/keyturn'))
    script = join(folder, 'worker.js')
    await build({
      entryPoints: [join(example, 'src/index.ts')],
      outfile: script,
      bundle: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
      conditions: ['workerd', 'worker', 'browser'],
      external: ['cloudflare:*'],
      nodePaths: [join(folder, 'node_modules')],
      logLevel: 'silent',
    })
  })

  afterAll(() => rmSync(folder, { recursive: true }))

  test('EDGE-09: a Worker with D1 and Hono is smaller than 72 kB, compressed', () => {
    const size = gzipSync(readFileSync(script), { level: 9 }).length
    console.log(`compressed: ${size} bytes`)
    expect(size).toBeLessThan(limit)
  })

  test('EDGE-12: its migration is what the package prints', () => {
    expect(readFileSync(join(example, 'migrations/0001_keyturn.sql'), 'utf8')).toBe(printD1Migrations())
  })

  test.skipIf(!hasEdgePackages())('EDGE-12: it serves sessions', async () => {
    const port = await freePort()
    const miniflare = await createMiniflare([{
      name: 'example',
      modules: [{ type: 'ESModule', path: script }],
      modulesRoot: folder,
      compatibilityDate: '2026-07-01',
      bindings: { ORIGIN: `http://localhost:${port}`, SECRET: '0123456789abcdef0123456789abcdef' },
      d1Databases: { DB: 'example' },
      unsafeDirectSockets: [{ host: '127.0.0.1', port }],
    }])
    onTestFinished(() => miniflare.dispose())
    const database = await miniflare.getD1Database('DB', 'example')
    for (const statement of printD1Migrations().split(/;\n/).filter(text => text.trim() !== '')) {
      await database.prepare(statement).all()
    }
    await driveSession(port)
  })
})
