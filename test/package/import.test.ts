import { cpSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { consumer, run } from '../support/package/pack.ts'

// What importing the package loads, and what is loaded later: docs/decisions/0011-loaded-late.md.

const node24 = join(import.meta.dirname, '../../node_modules/node/bin/node')

/** Each takes about 0.3 ms. `npm run bench -- import` measures it. */
const MOST_FILES = 70

/** Runs a program on the package, which can ask what was loaded so far; what it printed. */
function runCounted<Answer>(code: string, cwd: string = consumer): Answer {
  const counting = `
    import { registerHooks } from 'node:module'
    const files = []
    registerHooks({
      load(url, context, next) {
        const [, path] = url.split('/keyturn/dist/')
        if (path !== undefined) files.push(path)
        return next(url, context)
      },
    })
    const hasCrypto = () => process.moduleLoadList.includes('NativeModule crypto')
    const inRoom = room => files.filter(path => path.startsWith(room + '/'))
  `
  const { succeeded, output } = run(node24, ['--input-type=module', '--eval', counting + code], cwd)
  expect(succeeded, output).toBe(true)
  return JSON.parse(output)
}

interface Loaded {
  readonly early: boolean
  readonly crypto: boolean
  readonly files: readonly string[]
}

/** Sessions of a web application over the memory store. */
const application = `
  const { createSessions } = await import('keyturn')
  const { webSessions } = await import('keyturn/frameworks/web')
  const { createMemoryStore } = await import('keyturn/stores/memory')
  const sessions = webSessions(createSessions({ origin: 'http://localhost', store: createMemoryStore() }))
  const logIn = () => {
    return sessions.createNewSession(new Request('http://localhost/login', { method: 'POST' }), new Headers(), 'alice')
  }
`

test('importing the core loads few files, no cryptography and no flow that changes a session', () => {
  const { early, crypto, files } = runCounted<Loaded>(`
    const early = hasCrypto()
    await import('keyturn')
    console.log(JSON.stringify({ early, crypto: hasCrypto(), files }))
  `)
  expect(early).toBe(false)
  expect(crypto).toBe(false)
  expect(files).toContain('session/verify.js')
  const late = [
    'session/flows.js', 'session/create.js', 'session/refresh.js', 'session/rotate.js', 'session/manage.js',
    'transport/flows.js', 'transport/start-session.js', 'transport/refresh-session.js',
    'tokens/key-material.js', 'tokens/refresh-token.js',
  ]
  expect(files.filter(path => late.includes(path))).toEqual([])
  expect(files.length).toBeLessThanOrEqual(MOST_FILES)
})

test('putting an application together loads nothing more', () => {
  expect(runCounted(`${application}
    console.log(JSON.stringify([hasCrypto(), files.some(path => path.endsWith('/flows.js'))]))
  `)).toEqual([false, false])
})

test('the first reading of the keys loads whatever the core needs later', () => {
  expect(runCounted(`${application}
    await sessions.getJwks()
    const before = inRoom('session').length + inRoom('tokens').length
    await logIn()
    const [session] = (await sessions.listSessions('alice')).sessions
    await sessions.revokeSession(session.handle)
    console.log(JSON.stringify([inRoom('session').length + inRoom('tokens').length - before, hasCrypto()]))
  `)).toEqual([0, true])
})

test('the first request that passes the session routes loads whatever HTTP needs later', () => {
  expect(runCounted(`${application}
    await sessions.sessionRoutes(new Request('http://localhost/elsewhere'))
    const before = inRoom('transport').length
    await logIn()
    console.log(JSON.stringify(inRoom('transport').length - before))
  `)).toBe(0)
})

test.each(['session', 'transport'])('flows of %s that can not be loaded fail their callers, until they can', room => {
  // A copy, since others use the package at the same time.
  const copy = mkdtempSync(join(consumer, '../without-flows-'))
  onTestFinished(() => rmSync(copy, { recursive: true }))
  cpSync(consumer, copy, { recursive: true })
  const path = join(copy, 'node_modules/keyturn/dist', room, 'flows.js')
  const away = `${path}.away`
  renameSync(path, away)
  expect(runCounted(`${application}
    import { renameSync } from 'node:fs'
    const failures = []
    for (let attempt = 0; attempt < 2; attempt++) await logIn().catch(error => failures.push(error.code))
    renameSync(${JSON.stringify(away)}, ${JSON.stringify(path)})
    const session = await logIn()
    console.log(JSON.stringify({ failures, user: session.getUserId() }))
  `, copy)).toEqual({ failures: ['ERR_MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND'], user: 'alice' })
})
