import { expect, test } from 'vitest'
import { readArchives } from '../../scripts/provision.ts'

test('readArchives returns the names and sizes of the archives that apt would download', () => {
  const archives = readArchives([
    'Reading package lists...',
    "'http://packages.test/pool/main/r/redis/redis-server_7.0.15-1_amd64.deb' redis-server_5%3a7.0.15-1_amd64.deb 72500 "
      + 'SHA256:0d2e',
    "'http://packages.test/pool/main/a/adduser/adduser_3.134_all.deb' adduser_3.134_all.deb 183000 ",
    '2 newly installed, 0 to remove.',
  ].join('\n'))
  expect([...archives]).toEqual([['redis-server_5%3a7.0.15-1_amd64.deb', 72500], ['adduser_3.134_all.deb', 183000]])
  expect(readArchives('').size).toBe(0)
})
