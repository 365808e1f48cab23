import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createApplication, readManifest, run, tarball } from '../support/package/pack.ts'

// Projects that have an older or a newer version of what an adapter or a store of Keyturn can use, and do not use that.

const older = {
  redis: '4', koa: '2', next: '15', '@nestjs/common': '11', 'reflect-metadata': '0.2', rxjs: '7', h3: '1', fastify: '4',
  axios: '0.27', mysql2: '3.9', vue: '2',
}

test('L-23: every peer is optional, in any version', () => {
  const { peerDependencies, peerDependenciesMeta } = readManifest()
  expect(new Set(Object.values(peerDependencies))).toEqual(new Set(['*']))
  expect(Object.keys(peerDependenciesMeta)).toEqual(Object.keys(peerDependencies))
})

test('L-23: npm installs the package beside older versions of all of them', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-peers-'))
  try {
    const dependencies = { keyturn: `file:${tarball}`, ...older }
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }))
    const { succeeded, output } = run('npm', [
      'install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline',
    ], folder)
    expect(succeeded, output).toBe(true)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

describe('L-23: what uses a version that is too old says so:', () => {
  const application = createApplication([])

  afterAll(() => rmSync(application, { recursive: true }))

  /** Puts a package into the application: its manifest, and its only module. */
  function install(name: string, version: string, code: string): void {
    const folder = join(application, 'node_modules', name)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, version, type: 'module', main: 'index.js' }))
    writeFileSync(join(folder, 'index.js'), code)
  }

  test.each([
    ['mysql2', '3.9.7', 'export const createPool = () => ({})', `
      import { createMysqlStore } from 'keyturn/stores/mysql'
      await createMysqlStore('mysql://127.0.0.1:1').listKeys()`],
    ['redis', '4.7.1', 'export const createClient = () => ({})', `
      import { createRedisStore } from 'keyturn/stores/redis'
      await createRedisStore('redis://127.0.0.1:1').listKeys()`],
    ['vue', '2.7.16', "export const version = '2.7.16'", `
      import { useSession } from 'keyturn/vue'
      useSession({})`],
    ['axios', '0.27.2', "export default { VERSION: '0.27.2' }", `
      import { addSessionInterceptor } from 'keyturn/client/axios'
      addSessionInterceptor({}, {})`],
    ['fastify', '4.29.1', '', `
      import { createSessions } from 'keyturn'
      import { fastifySessions } from 'keyturn/frameworks/fastify'
      await fastifySessions(createSessions({ origin: 'http://localhost' })).sessionRoutes()({ version: '4.29.1' })`],
  ])('%s %s', (name, version, code, use) => {
    install(name, version, code)
    if (name === 'mysql2') writeFileSync(join(application, 'node_modules/mysql2/promise.js'), code)
    if (name === 'mysql2') {
      const paths = ['./promise.js', './package.json']
      const exports = { './promise': paths[0], './package.json': paths[1] }
      const manifest = JSON.stringify({ name, version, type: 'module', exports })
      writeFileSync(join(application, 'node_modules/mysql2/package.json'), manifest)
    }
    writeFileSync(join(application, 'use.mjs'), `${use.replace(/^ +/gm, '')}\n`)
    const { output } = run(process.execPath, ['use.mjs'], application)
    expect(output).toContain(`${name} ${version} is not supported: install ${name} `)
  })

  test('a client of redis 4, and an event of h3 1', () => {
    writeFileSync(join(application, 'use.mjs'), `
      import { createSessions } from 'keyturn'
      import { h3Sessions } from 'keyturn/frameworks/h3'
      import { createRedisStore } from 'keyturn/stores/redis'
      const client = { sendCommand() {}, subscribe() {}, duplicate() {}, on() {}, connect() {}, disconnect() {} }
      try { createRedisStore(client) } catch ({ message }) { console.log(message) }
      const sessions = h3Sessions(createSessions({ origin: 'http://localhost' }))
      const event = { req: { headers: {} }, node: {} }
      await sessions.sessionRoutes()(event, () => undefined).catch(({ message }) => console.log(message))
    `)
    const { output } = run(process.execPath, ['use.mjs'], application)
    expect(output).toBe('a client of redis 4 is not supported: install redis 5.0 or newer\n'
      + 'h3 1 is not supported: install h3 2 or newer\n')
  })
})
