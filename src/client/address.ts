/** Reads an address, a relative one against `base`; null if it is none. Pure. */
export function parseAddress(address: string, base: string | undefined): URL | null {
  try {
    return new URL(address, base)
  } catch {
    return null
  }
}

/** The origin of an address; also of one with an app's own scheme, which the platform calls `null` for all. Pure. */
export function originOf({ protocol, host }: URL): string {
  return `${protocol}//${host}`
}

/** What the platform resolves relative addresses against, `<base href>` included; undefined where there is no page. */
export function platformBase(): string | undefined {
  const { location, document } = globalThis as Partial<typeof globalThis>
  return document?.baseURI ?? location?.href
}
