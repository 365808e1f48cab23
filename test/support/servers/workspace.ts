import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The user (nobody) that servers run as when the tests run as root, which most of them refuse; otherwise null. */
export const serverUser: { readonly uid: number; readonly gid: number } | null =
  process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : null

const prefix = 'keyturn-test-'
const directories = new Set<string>()
const handedOut = new Set<number>()

process.on('exit', () => {
  for (const directory of directories) remove(directory)
})

/** A new temporary folder that the server's user owns. It goes at the latest when this process ends. */
export function createDirectory(): string {
  if (directories.size === 0) removeLeftovers()
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
 * A loopback port that is free now and that this process has not handed out before. It is below those that systems give
 * to outgoing connections and to servers that name none: nobody takes it while the server is down.
 */
export async function freePort(): Promise<number> {
  const port = 20_000 + Math.floor(Math.random() * 12_000)
  if (handedOut.has(port)) return freePort()
  handedOut.add(port)
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

// What cannot be removed now (a server still writes its last words) a later run removes.
function remove(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 })
  } catch {}
}

// A test process that was killed could not tidy up: its folders carry its process id.
function removeLeftovers(): void {
  for (const name of readdirSync(tmpdir())) {
    const owner = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : Number.NaN
    if (!Number.isNaN(owner) && !isRunning(owner)) remove(join(tmpdir(), name))
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
