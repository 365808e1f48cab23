import { compareCaches } from './cache/main.ts'
import { compareHttp } from './http/main.ts'
import { compareImports } from './import/main.ts'
import { measureLatency } from './latency/main.ts'
import { comparePlatform } from './platform/main.ts'
import { profile } from './profile/main.ts'
import { measureRevocations } from './revocations/main.ts'
import { simulateScale } from './scale/main.ts'
import { measureScaleUp } from './scale-up/main.ts'
import { measureSqliteLock } from './sqlite-lock/main.ts'
import { measureImportCheck } from './take-over/main.ts'
import { compareVerification } from './verify/main.ts'

// npm run bench [-- part ...]: runs all parts, or the named ones. What follows `scale-up` names a part of it.

const parts: Readonly<Record<string, (names: readonly string[]) => Promise<void>>> = {
  verify: compareVerification,
  cache: compareCaches,
  http: compareHttp,
  import: compareImports,
  'import-check': measureImportCheck,
  revocations: measureRevocations,
  latency: measureLatency,
  'sqlite-lock': measureSqliteLock,
  scale: simulateScale,
  'scale-up': measureScaleUp,
  profile,
  platform: comparePlatform,
}

const given = process.argv.slice(2)
const end = given.includes('scale-up') ? given.indexOf('scale-up') + 1 : given.length
const [named, names] = [given.slice(0, end), given.slice(end)]
const unknown = named.find(name => !(name in parts))
if (unknown !== undefined) throw new Error(`there is no part ${unknown}: ${Object.keys(parts).join(', ')}`)
for (const [name, run] of Object.entries(parts)) {
  if (named.length === 0 || named.includes(name)) await run(names)
}
