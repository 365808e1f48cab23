import { expect, test } from 'vitest'
import { loadDriver } from './load-driver.ts'

test('a missing driver: an error that names the package to install', async () => {
  const missing = loadDriver('pg', () => import(`${'no'}-such-package`))
  await expect(missing).rejects.toMatchObject({ code: 'MISUSE' })
  await expect(missing).rejects.toThrow('npm install pg')
})
