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

test.each([
  '', '2001', '2001:db8:2', '2001:db8:2:4:5:6:7', '2001:db8:2:4:5:6:7:8:9', '2001:db8:2:4:5:6:7:8::', '2001:db8::2::1',
  '2001:db8:2::12345', '2001:db8:2::g', 'x2001:db8:2::1', '2001:db8:2::1x', '2001:db8:2::1 ', '2001:db8:2::1/48',
  '192.0.3', '192.0.3.1.5', 'x192.0.3.1', '192.0.3.1x', '192.0.3.1:80', '192.0.3.', '::ffff:192.0.3.1.5',
  'x::ffff:192.0.3.1', '::fffe:192.0.3.1', '::ffff:x', '1::ffff:92.0.3.1', '2001:db8::1:2:3:4:5:6:7:8',
])('a string that is not an address is not in another network: "%s"', text => {
  for (const ip of ['192.0.2.1', '2001:db8:1::1']) {
    expect(isShared(from(text), from(ip))).toBe(false)
    expect(isShared(from(ip), from(text))).toBe(false)
  }
})

test.each([
  ['eight groups', '2001:db8:2:4:5:6:7:8'], ['zeros at the end', '2001:db8:2::'],
  ['one zero left out', '2001:db8:2:4::6:7:8'], ['zeros at the start', '::1'], ['only zeros', '::'],
  ['capital letters', '2001:DB8:2::1'], ['a zone', '2001:db8:2::1%eth0'],
])('a form of an address in another network is recognized: %s', (_, ip) => {
  expect(isShared(from(ip), from('2001:db8:1::1'))).toBe(true)
})

test('groups with the same digits, divided in another way, are another network', () => {
  expect(isShared(from('1:11:1::'), from('11:1:1::'))).toBe(true)
})

test('the /24 of an IPv4 address has all its digits, mapped to IPv6 in capitals or not', () => {
  expect(isShared(from('::FFFF:192.0.2.1'), from('192.0.2.77'))).toBe(false)
  expect(isShared(from('::ffff:10.1.2.3'), from('10.1.3.3'))).toBe(true)
  expect(isShared(from('10.11.12.13'), from('10.11.12.113'))).toBe(false)
})
