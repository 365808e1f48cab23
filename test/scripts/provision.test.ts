import { expect, test } from 'vitest'
import { readArchives, readMirror, readVersions } from '../../scripts/provision.ts'

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

test('readVersions names the packages that were asked for, not their dependencies', () => {
  const archives = ['libc6_2.43-7_amd64.deb', 'redis-server_5%3a8.0.6-1_amd64.deb']
  expect(readVersions(archives, ['redis-server'])).toBe('redis-server 5:8.0.6-1')
})

test('readMirror returns the address of the mirror that serves the release itself', () => {
  const sources = [
    'https://tools.test/apt bookworm-tools main',
    'https://tools.test/other bookworm tools',
    'http://security.test/debian-security/ bookworm-security main',
    'http://mirror.test/debian/ bookworm main',
  ].join('\n')
  expect(readMirror(sources, 'bookworm')).toBe('http://mirror.test/debian/')
  expect(readMirror(sources, 'trixie')).toBeNull()
})
