import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * The user (nobody) for servers when the tests run as root, since most servers refuse to run as root; otherwise null.
 */
export const serverUser: { readonly uid: number; readonly gid: number } | null =
  process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : null

const prefix = 'keyturn-test-'
const directories = new Set<string>()
const returned = new Set<number>()

process.on('exit', () => {
  for (const directory of directories) remove(directory)
})

/** Creates a temporary folder that the servers' user owns. It is removed when this process ends, at the latest. */
export function createDirectory(): string {
  if (directories.size === 0) removeLeftovers(tmpdir(), prefix)
  const directory = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`))
  directories.add(directory)
  own(directory)
  return directory
}

/** A folder inside a server's folder. */
export function createSubdirectory(directory: string, name: string): string {
  const path = join(directory, name)
  mkdirSync(path, { mode: 0o700 })
  own(path)
  return path
}

/** Removes a folder of `createDirectory`. */
export function removeDirectory(directory: string): void {
  directories.delete(directory)
  remove(directory)
}

/**
 * Removes the folders of killed processes, which could not remove them: their names are `prefix` and the process id.
 */
export function removeLeftovers(parent: string, prefix: string): void {
  for (const name of readdirSync(parent)) {
    const owner = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : Number.NaN
    if (!Number.isNaN(owner) && !isRunning(owner)) remove(join(parent, name))
  }
}

/**
 * A loopback port that is free now and that this process has not returned before. It is below the ports that systems
 * use for outgoing connections and for servers that name none, so that nothing takes it while the server is down.
 */
export async function freePort(): Promise<number> {
  const port = 20_000 + Math.floor(Math.random() * 12_000)
  if (returned.has(port)) return freePort()
  returned.add(port)
  const isFree = await new Promise<boolean>((resolve) => {
    const probe = createServer()
      .once('error', () => resolve(false))
      .listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
  return isFree ? port : freePort()
}

function own(path: string): void {
  if (serverUser !== null) chownSync(path, serverUser.uid, serverUser.gid)
}

// A folder that cannot be removed now (a server may still write to it) is removed by a later run.
function remove(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 })
  } catch {}
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
