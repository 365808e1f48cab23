/** Parses an address, a relative one against `base`; null if it is invalid. Pure. */
export function parseAddress(address: string, base: string | undefined): URL | null {
  try {
    return new URL(address, base)
  } catch {
    return null
  }
}

/** The origin of an address. Unlike `URL.origin`, it is not `null` for an app's own scheme. Pure. */
export function originOf({ protocol, host }: URL): string {
  return `${protocol}//${host}`
}

/** The base of relative addresses on this page, `<base href>` included; undefined without a page. */
export function platformBase(): string | undefined {
  const { location, document } = globalThis as Partial<typeof globalThis>
  return document?.baseURI ?? location?.href
}
