import { existsSync, readFileSync } from 'node:fs'

/** Microseconds of CPU of a verification with ES256, as measured in docs/benchmarks/verify.md. */
export interface VerifyCosts {
  /** The token is in the cache. */
  readonly hit: number
  /** There is no cache, and the MAC of the token is in the request. */
  readonly mac: number
  /** There is no cache, and the signature of the token is checked. */
  readonly signature: number
}

export function readVerifyCosts(): VerifyCosts {
  const file = new URL('../../docs/benchmarks/verify.json', import.meta.url)
  if (!existsSync(file)) throw new Error('measure first: npm run bench -- verify')
  const { medians }: { readonly medians: Readonly<Record<string, { readonly cpu: number } | undefined>> } = (
    JSON.parse(readFileSync(file, 'utf8'))
  )
  const cost = (name: string): number => {
    const found = medians[`keyturn ES256 ${name}`]
    if (found === undefined) throw new Error(`docs/benchmarks/verify.json has no ${name}`)
    return found.cpu
  }
  return {
    hit: cost('cookies, hit'), mac: cost('cookies, no cache'), signature: cost('bearer, no cache'),
  }
}
