import { DatabaseSync } from 'node:sqlite'
import { expect } from 'vitest'
import { nodeCrypto } from '../../src/platform/node-crypto.ts'
import { openSqliteStore } from '../../src/stores/sqlite.ts'
import { createKeyLoader } from '../../src/tokens/key-material.ts'
import type { SigningKey } from '../../src/tokens/key-ring.ts'
import type { HttpClient } from './http-client.ts'
import { AT } from './session-server.ts'
import type { SessionServer } from './session-server.ts'
import { present } from './present.ts'

/** Copies a database that is in use, as a backup does, or an attacker with read access. */
export function copyDatabase(file: string, copy: string): string {
  const database = new DatabaseSync(file)
  database.exec(`VACUUM INTO '${copy}'`)
  database.close()
  return copy
}

/** The signing key that an attacker can load from the copy, perhaps with a secret. */
export async function signingKeyIn(copy: string, secret: string | null): Promise<SigningKey> {
  const store = openSqliteStore(copy)
  const stored = (await store.listKeys()).find(({ purpose }) => purpose === 'access')
  await store.close()
  const loaded = await (await createKeyLoader(nodeCrypto, secret === null ? [] : [secret])).load(present(stored), {
    name: 'default', audience: null,
  })
  if (loaded.purpose !== 'access') throw new Error('not a signing key')
  return loaded
}

/** Sends a request as an administrator, with an access token forged with the key. */
export async function visitForged(app: SessionServer, key: SigningKey, like: HttpClient): Promise<number> {
  const claims = Buffer.from(like.cookie(AT)?.split('.')[1] ?? '', 'base64url').toString()
  const forged = await key.sign(JSON.stringify({ ...JSON.parse(claims) as object, sub: 'admin' }))
  const { status, body } = await app.client().send('GET', '/me', { extraCookies: [`${AT}=${forged}`] })
  if (status === 200) expect(JSON.parse(body)).toMatchObject({ userId: 'admin' })
  return status
}
