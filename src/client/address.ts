/** An absolute address: as the platform writes it, and its parts. */
export type Address = Pick<URL, 'href' | 'protocol' | 'host'>

/** Parses an address, a relative one against `base`; null if it is invalid. Pure. */
export type ParseAddress = (address: string, base: string | undefined) => Address | null

/** Parses an address as the platform does, a relative one against `base`; null if it is invalid. Pure. */
export const parseAddress: ParseAddress = (address, base) => {
  try {
    return new URL(address, base)
  } catch {
    return null
  }
}

/** The origin of an address. Unlike `URL.origin`, it is not `null` for an app's own scheme. Pure. */
export function originOf({ protocol, host }: Address): string {
  return `${protocol}//${host}`
}

/** The base of relative addresses on this page, `<base href>` included; undefined without a page. */
export function platformBase(): string | undefined {
  const { location, document } = globalThis as Partial<typeof globalThis>
  return document?.baseURI ?? location?.href
}
