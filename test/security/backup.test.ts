import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openSqliteStore } from '../../src/stores/sqlite.ts'
import { createTestCore, login, owner } from '../support/test-core.ts'

test('ST-08: a restored backup contains revoked sessions until revokeEverySession() ends them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-backup-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const [live, backup] = [join(folder, 'live.db'), join(folder, 'backup.db')]

  const before = createTestCore({ store: openSqliteStore(live) })
  const { accessToken, refreshToken, claims } = await login(before.core)
  await before.core.close()
  copyFileSync(live, backup)
  const { clock } = before
  const after = createTestCore({ store: openSqliteStore(live), clock })
  await after.core.revokeSession(claims.sid)
  expect((await after.core.verify(accessToken)).kind).toBe('revoked')
  await after.core.close()

  const { core } = createTestCore({ store: openSqliteStore(backup), clock })
  expect((await core.verify(accessToken)).kind).toBe('active')
  await core.revokeEverySession()
  expect((await core.verify(accessToken)).kind).not.toBe('active')
  expect((await core.refresh(refreshToken, 'header', owner)).kind).toBe('unauthorized')
  await core.close()
})
