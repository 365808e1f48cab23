import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Starts a Redis server on loopback without persistence. Null if it is not installed. */
export async function startRedis(): Promise<{ readonly url: string; stop(): Promise<void> } | null> {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-redis-'))
  const port = await freePort()
  const options = { bind: '127.0.0.1', port: String(port), save: '', appendonly: 'no', dir: folder }
  const server = spawn('redis-server', Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]))
  // The server ends with this process.
  process.once('exit', () => server.kill())
  process.once('SIGTERM', () => process.exit())
  const ended = new Promise<false>(resolve => {
    server.on('error', () => resolve(false))
    server.on('exit', () => {
      rmSync(folder, { recursive: true, force: true })
      resolve(false)
    })
  })
  const ready = new Promise<true>(resolve => server.stdout.on('data', (text: Buffer) => {
    if (text.includes('Ready to accept connections')) resolve(true)
  }))
  if (!await Promise.race([ready, ended])) return null
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      server.kill()
      await ended
    },
  }
}

/** A port that is free right now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
