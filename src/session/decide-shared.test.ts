import { expect, test } from 'vitest'
import { isShared } from './decide-shared.ts'

const from = (ip: string | null, userAgent: string | null = 'Browser/1'): Parameters<typeof isShared>[0] => ({
  ip,
  userAgent,
})

test.each([
  ['the same client', from('192.0.2.1'), from('192.0.2.1'), false],
  ['another address of one /24', from('192.0.2.1'), from('192.0.2.200'), false],
  ['another /24', from('192.0.2.1'), from('192.0.3.1'), true],
  ['another user agent', from('192.0.2.1'), from('192.0.2.1', 'Browser/2'), true],
  ['an address that is not known', from(null), from('192.0.3.1'), false],
  ['a user agent that is not known', from('192.0.2.1', null), from('192.0.2.1'), false],
  ['another address of one /48', from('2001:db8:1::1'), from('2001:db8:1:ff::9'), false],
  ['another /48', from('2001:db8:1::1'), from('2001:db8:2::1'), true],
  ['two spellings of one /48', from('2001:db8:1::1'), from('2001:0DB8:0001:0:0:0:0:2'), false],
  ['zeros that are left out', from('2001::1'), from('2001:0:0:1::1'), false],
  ['an IPv4 address mapped to IPv6', from('::ffff:192.0.2.9'), from('192.0.2.1'), false],
  ['a zone', from('fe80::1%eth0'), from('fe80::2%eth1'), false],
  ['IPv4 and IPv6', from('192.0.2.1'), from('2001:db8:1::1'), true],
  ['a string that is not an address', from('unix:'), from('192.0.2.1'), false],
])('%s', (_, one, other, shared) => {
  expect(isShared(one, other)).toBe(shared)
  expect(isShared(other, one)).toBe(shared)
})
