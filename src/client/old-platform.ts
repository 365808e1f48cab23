import type { Address, ParseAddress } from './address.ts'

/** Addresses that all platforms read alike: no user name, no backslash, no spaces or control characters. */
const plain = /^(https?:)\/\/([a-z\d.-]+(?::\d+)?)([/?#][!#-[\]-~]*)?$/i

/** As `parseAddress`, without `URL`; null for addresses that a platform may read in another way. */
export const parsePlain: ParseAddress = (address, base = '') => {
  const isAbsolute = /^([a-z][a-z\d+.-]*:|[/\\]{2})/i.test(address)
  const origin = addressIn(base)
  const root = origin === null ? '' : `${origin.protocol}//${origin.host}`
  return addressIn(isAbsolute ? address : address.startsWith('/') ? root + address : base + address)
}

function addressIn(href: string): Address | null {
  const [, protocol, host, rest = '/'] = plain.exec(href) ?? []
  if (protocol === undefined || host === undefined) return null
  const address = { protocol: protocol.toLowerCase(), host: host.toLowerCase() }
  return { href: `${address.protocol}//${address.host}${rest}`, ...address }
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Decodes base64 of UTF-8. @throws Error for anything else */
export function decode(text: string): string {
  let bits = 0
  let buffer = 0
  let bytes = ''
  for (const letter of text.replace(/=+$/, '')) {
    const value = letters.indexOf(letter)
    if (value < 0) throw new Error('the text is not base64')
    buffer = (buffer * 64 + value) % 65_536
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes += `%${(256 + ((buffer >> bits) & 255)).toString(16).slice(1)}`
    }
  }
  return decodeURIComponent(bytes)
}
