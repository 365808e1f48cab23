import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const source = join(import.meta.dirname, '../../src')

/** An application that does not await its calls. Its store answers when the response was sent. */
const application = `
  import { createServer } from 'node:http'
  import { nodeSessions } from '${source}/frameworks/node.ts'
  import { createSessions } from '${source}/index.ts'
  import { createMemoryStore } from '${source}/stores/memory.ts'

  const store = createMemoryStore()
  let whenSent = Promise.resolve()
  const slow = new Proxy(store, {
    get: (target, name) => name === 'insert'
      ? async record => { await whenSent; return target.insert(record) }
      : Reflect.get(target, name).bind?.(target) ?? Reflect.get(target, name),
  })
  const sessions = nodeSessions(createSessions({ origin: 'http://localhost:1', store: slow }))
  const server = createServer((request, response) => {
    whenSent = new Promise(resolve => response.once('finish', resolve))
    sessions.createNewSession(request, response, 'ada')
    response.end('sent')
  })
  server.listen(0, '127.0.0.1', async () => {
    const response = await fetch('http://127.0.0.1:' + server.address().port)
    console.log(response.status, await response.text(), response.headers.getSetCookie().length)
  })
`

test('L-03: a rejection that nobody handles ends the process with its words', () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath, ['--conditions=keyturn-source', '--input-type=module', '--eval', application],
    { encoding: 'utf8' },
  )
  expect([status, stderr]).toEqual([1, expect.stringContaining('the response was already sent')])
  if (stdout !== '') expect(stdout).toBe('200 sent 0\n')
})
