import type { Client } from './client.ts'
import { internals } from './internals.ts'

/** One of the user's sessions, as the server's `listSessions` returns it. */
export interface Device {
  /** The public identifier of the session. */
  readonly handle: string
  /** When the user logged in there, in milliseconds since 1970. */
  readonly createdAt: number
  /** The address of its last refresh; null if the server does not know it. */
  readonly ip: string | null
  /** The user agent of its last refresh; null if there was none. */
  readonly userAgent: string | null
  /** What to call it, such as "Chrome on Windows", if the application's route says so. */
  readonly name?: string
  /** Whether it is the session of this client. */
  readonly current: boolean
}

/** The data and the calls for a list of the user's devices; the application renders it. */
export interface Devices {
  /** The devices of the user, newest first; empty if nobody is signed in. @throws Error with any other status. */
  list(): Promise<readonly Device[]>
  /** Signs a device out. Resolves to false if it was not signed in (404). @throws Error with any other error status. */
  revoke(handle: string): Promise<boolean>
  /** Signs all devices out but this one. Resolves to how many there were. @throws Error with any other error status. */
  revokeOthers(): Promise<number>
}

/** Options of {@link createDevices}. */
export interface DevicesOptions {
  /** The path of the two routes, such as `/devices`. */
  readonly path: string
}

/** Lists and revokes devices over two routes of the application: `GET path` and `DELETE path/:handle`. */
export function createDevices(client: Pick<Client<object>, 'fetch'>, { path }: DevicesOptions): Devices {
  if (typeof path !== 'string') throw new TypeError(`path must be a text such as "/devices"; received ${String(path)}`)
  const { fetch } = client
  const expiredStatus = internals.get(client)?.settings.expiredStatus ?? 401

  async function list(): Promise<readonly Device[]> {
    const response = await fetch(path)
    if (response.status === expiredStatus) return []
    if (!response.ok) throw new Error(`the devices could not be read: ${response.status}`)
    const devices: Device[] = await response.json()
    return devices
  }

  async function revoke(handle: string): Promise<boolean> {
    const { ok, status } = await fetch(`${path}/${encodeURIComponent(handle)}`, { method: 'DELETE' })
    if (!ok && status !== 404) throw new Error(`the device could not be signed out: ${status}`)
    return ok
  }

  return {
    list,
    revoke,
    async revokeOthers() {
      const others = (await list()).filter(({ current }) => !current)
      const revoked = await Promise.all(others.map(({ handle }) => revoke(handle)))
      return revoked.filter(Boolean).length
    },
  }
}
