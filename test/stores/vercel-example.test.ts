// The example for Vercel functions, over the stand-in for Neon's endpoint.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import type { Plugin } from 'esbuild'
import { describe, inject, onTestFinished, test } from 'vitest'
import { migratePostgres } from '../../src/stores/postgres.ts'
import { driveSession, examples } from '../support/drive-example.ts'
import { edgePackage, hasEdgePackages } from '../support/edge-packages.ts'
import { startNeonServer } from '../support/neon-server.ts'
import { createPostgresDatabase } from '../support/servers/postgres.ts'
import { serveWeb } from '../support/serve-web.ts'

const root = join(examples, '..')
const server = inject('postgresUrl')

/** A function of Vercel: a handler for each method. */
type VercelFunction = Readonly<Record<string, (request: Request) => Promise<Response>>>

/** Resolves `keyturn` to its sources. */
const sources: Plugin = {
  name: 'sources',
  setup(bundle) {
    bundle.onResolve({ filter: /^keyturn(?:\/|$)/ }, ({ path }) => (
      { path: join(root, 'src', path === 'keyturn' ? 'index.ts' : `${path.slice('keyturn/'.length)}.ts`) }
    ))
  },
}

describe.skipIf(server === null || !hasEdgePackages())('the example for Vercel functions', () => {
  test('EDGE-12: it serves sessions', async () => {
    const url = await createPostgresDatabase(server ?? '', 'vercel_example')
    await migratePostgres(url)
    const neon = await startNeonServer(url)
    onTestFinished(() => neon.close())
    const folder = mkdtempSync(join(tmpdir(), 'keyturn-vercel-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const entry = join(folder, 'functions.mjs')
    writeFileSync(entry, `
      import { neonConfig } from '@neondatabase/serverless'
      neonConfig.fetchEndpoint = () => process.env.NEON_ENDPOINT
      export const login = await import(${JSON.stringify(join(examples, 'vercel-neon/api/login.mjs'))})
      export const me = await import(${JSON.stringify(join(examples, 'vercel-neon/api/me.mjs'))})
      export const auth = await import(${JSON.stringify(join(examples, 'vercel-neon/api/auth.mjs'))})
    `)
    const bundle = join(folder, 'bundle.mjs')
    await build({
      entryPoints: [entry], outfile: bundle, bundle: true, format: 'esm', platform: 'node', logLevel: 'silent',
      conditions: ['keyturn-source'], nodePaths: [join(edgePackage('miniflare'), '..')], plugins: [sources],
    })
    let functions: Readonly<Record<string, VercelFunction>> = {}
    // As the rewrites of vercel.json do.
    const app = await serveWeb(async request => {
      const [, name = ''] = new URL(request.url).pathname.split('/')
      return await functions[name]?.[request.method]?.(request) ?? new Response(null, { status: 404 })
    })
    onTestFinished(() => app.close())
    Object.assign(process.env, {
      ORIGIN: `http://localhost:${app.port}`,
      SECRET: '0123456789abcdef0123456789abcdef',
      DATABASE_URL: 'postgres://app:secret@neon.example.com/app',
      NEON_ENDPOINT: neon.endpoint,
    })
    functions = await import(pathToFileURL(bundle).href)
    await driveSession(app.port)
  })
})
