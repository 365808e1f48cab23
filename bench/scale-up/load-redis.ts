import { once } from 'node:events'
import { connect } from 'node:net'
import { expiryShardOf, keyNames, userTagOf } from '../../src/stores/redis/key-names.ts'
import { sessionJson } from '../../src/stores/redis/session-json.ts'
import { showProgress } from './progress.ts'
import { recordOf } from './rows.ts'
import type { Batch } from './rows.ts'

/** How many sessions one write to the socket holds. */
const CHUNK = 500

/**
 * Writes sessions in the protocol of Redis, without replies in between ("mass insertion"): the session and its two
 * index entries.
 */
export async function loadRedis(port: number, prefix: string, batch: Batch): Promise<void> {
  const names = keyNames(prefix)
  const progress = showProgress(`Redis: loading ${batch.count.toLocaleString('en')} sessions`, batch.count)
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(command('CLIENT', 'REPLY', 'OFF'))
  for (let done = 0; done < batch.count;) {
    const next = Math.min(done + CHUNK, batch.count)
    let text = ''
    for (let number = batch.from + done; number < batch.from + next; number++) {
      const record = recordOf(batch, number)
      const { handle, userId, createdAt, expiresAt } = record
      const tag = userTagOf(userId)
      // The lifetime of the key counts for sessions that nobody cleans up: it need not be exact here.
      text += command('SET', names.session(handle), sessionJson(record, `load-${number}`), 'PX', '17280000000')
        + command('ZADD', names.expiry(expiryShardOf(handle)), `${expiresAt}`, `${handle}.${tag}`)
        + command('ZADD', names.user(tag), `${createdAt}`, handle)
    }
    if (!socket.write(text)) await once(socket, 'drain')
    done = next
    progress(done)
  }
  socket.write(command('CLIENT', 'REPLY', 'ON'))
  const [reply] = await once(socket, 'data')
  if (!String(reply).startsWith('+OK')) throw new Error(`Redis answered: ${String(reply)}`)
  socket.end()
}

function command(...parts: readonly string[]): string {
  return `*${parts.length}\r\n${parts.map(part => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`
}
