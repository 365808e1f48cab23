// Types that signatures name, so that an application can name them, too.
import type { HttpLimits, ServerParts } from 'keyturn/server'
import type { Equal, Expect } from '../expect.ts'

export type Names = Expect<Equal<NonNullable<ServerParts['limits']>, Partial<HttpLimits>>>
