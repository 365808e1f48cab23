// A process that takes a session over, or ends it, is killed after each step; another process serves the same browser.
import { fork } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { OLD_CRASH_SECRET, startCountedServer } from '../support/crash-steps.ts'
import type { CrashPlace } from '../support/crash-steps.ts'
import { HttpClient } from '../support/http-client.ts'
import type { Reply } from '../support/http-client.ts'
import { createDirectory } from '../support/servers/workspace.ts'
import { ORIGIN, SAME_ORIGIN, SIGNOUT } from '../support/session-server.ts'
import type { SessionServer } from '../support/session-server.ts'

const [postgresUrl, redisUrl] = [inject('postgresUrl'), inject('redisUrl')]

const places: readonly { readonly kind: CrashPlace['kind']; readonly url: string | null }[] = [
  { kind: 'PostgreSQL', url: postgresUrl },
  { kind: 'Redis', url: redisUrl },
  { kind: 'SQLite', url: '' },
]

/** The old system: rows of express-session, which outlive the processes. */
class OldRows {
  readonly file: string = join(createDirectory(), 'old.db')
  readonly #database = new DatabaseSync(this.file, { timeout: 60_000 })

  constructor() {
    this.#database.exec('CREATE TABLE sessions (sid TEXT NOT NULL PRIMARY KEY, sess JSON NOT NULL, expire TEXT NOT NULL)')
    onTestFinished(() => this.#database.close())
  }

  /** Logs a user in, or restores the row, as a backup of the old system does. */
  add(id: string): void {
    this.#database.prepare('INSERT OR REPLACE INTO sessions VALUES (?, ?, ?)')
      .run(id, JSON.stringify({ cookie: { originalMaxAge: 1 }, userId: id }), '2100-01-01T00:00:00.000Z')
  }
}

/** A browser with the cookie of an old session. */
function browser(server: SessionServer, id: string): HttpClient {
  const client = server.client()
  const signature = createHmac('sha256', OLD_CRASH_SECRET).update(id).digest('base64').replace(/=+$/, '')
  client.keep(`connect.sid=${encodeURIComponent(`s:${id}.${signature}`)}; Path=/; HttpOnly`)
  return client
}

interface DoomedProcess {
  readonly port: number
  /** Resolves to the signal that ended it. */
  readonly ended: Promise<unknown>
  /** The steps so far. */
  steps(): Promise<readonly string[]>
}

/** The compiled modules of the processes, so that all but the first start fast. */
const compiled = createDirectory()

/** Starts a process that kills itself after a step; 0: it lives. */
async function startDoomed(place: CrashPlace, last: number): Promise<DoomedProcess> {
  const child = fork(join(import.meta.dirname, '../support/import-crash-child.ts'), [JSON.stringify(place), `${last}`], {
    execArgv: ['--conditions=keyturn-source'], env: { ...process.env, NODE_COMPILE_CACHE: compiled },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const ended = once(child, 'exit').then(([, signal]: unknown[]) => signal)
  const [port]: unknown[] = await Promise.race([
    once(child, 'message'), ended.then(signal => { throw new Error(`the process ended early: ${String(signal)}`) }),
  ])
  return {
    port: Number(port),
    ended,
    async steps() {
      const answer = once(child, 'message')
      child.send('steps')
      const [names]: unknown[] = await answer
      return Array.isArray(names) ? names.map(String) : []
    },
  }
}

/** What a browser does at the process that will be killed. */
interface Deed {
  readonly name: string
  /** Whether the session was taken over before, by a process that lives. */
  readonly isTaken: boolean
  perform(client: HttpClient): Promise<{ readonly status: number }>
}

const me = (client: HttpClient): Promise<Reply> => client.send('GET', '/me')
const signOut = (client: HttpClient): Promise<Reply> => client.send('POST', SIGNOUT, { headers: SAME_ORIGIN })

const deeds: readonly Deed[] = [
  { name: 'a take-over', isTaken: false, perform: me },
  { name: 'a sign-out', isTaken: true, perform: signOut },
  { name: 'a sign-out with the old cookie alone', isTaken: false, perform: signOut },
]

describe.each(places.filter(({ url }) => url !== null))('IMP-01, IMP-04: in $kind', ({ kind, url }) => {
  test.each(deeds)('a process that is killed after any step of $name neither logs out nor revives', async deed => {
    const old = new OldRows()
    const place: CrashPlace = {
      kind,
      place: url === '' ? join(createDirectory(), 'keyturn.db') : url ?? '',
      data: `crash_${process.pid}_${deeds.indexOf(deed)}`,
      old: old.file,
    }
    const survivor = await startCountedServer(place, () => undefined)
    onTestFinished(() => survivor.close())
    const handlesOf = (id: string): Promise<readonly string[]> => survivor.sessions.getAllSessionHandlesForUser(id)

    /** A browser at a process that kills itself after this step. */
    async function prepare(
      id: string,
      last: number,
    ): Promise<{ readonly client: HttpClient; readonly doomed: DoomedProcess }> {
      old.add(id)
      const first = browser(survivor, id)
      if (deed.isTaken) expect((await me(first)).status).toBe(200)
      const doomed = await startDoomed(place, last)
      const client = new HttpClient(doomed.port, ORIGIN, survivor.clock)
      client.jar = first.jar
      return { client, doomed }
    }

    const whole = await prepare('whole', 0)
    expect((await deed.perform(whole.client)).status).toBe(200)
    const steps = await whole.doomed.steps()
    expect(steps.length).toBeGreaterThan(0)

    async function check(last: number): Promise<void> {
      const at = `killed after step ${last} of ${steps.length}: ${steps[last - 1]?.trim().slice(0, 60)}`
      const id = `user-${last}`
      const { client, doomed } = await prepare(id, last)
      const copy = client.jar
      const answer = await deed.perform(client).catch(() => null)
      // The last steps may come after the answer.
      if (answer === null) expect(await doomed.ended, at).toBe('SIGKILL')

      const before = await handlesOf(id)
      const next = survivor.client()
      next.jar = copy
      const reply = await me(next)
      const isIn = reply.status === 200
      expect(await handlesOf(id), at).toHaveLength(isIn ? 1 : 0)
      if (isIn) expect(JSON.parse(reply.body).userId, at).toBe(id)
      // A sign-out without an answer has happened or not. A session that it has ended stays ended.
      else expect(deed.perform, at).toBe(signOut)
      if (deed.perform === signOut && answer !== null) expect([answer.status, isIn], at).toEqual([200, false])
      if (deed.isTaken) expect(isIn, at).toBe(before.length === 1)

      if (isIn) expect((await signOut(next)).status, at).toBe(200)
      old.add(id)
      for (const jar of [copy, next.jar, browser(survivor, id).jar]) {
        const again = survivor.client()
        again.jar = jar
        expect((await me(again)).status, at).toBe(401)
      }
      expect(await handlesOf(id), at).toEqual([])
    }

    await Promise.all(steps.map((_, index) => check(index + 1)))
  })
})
