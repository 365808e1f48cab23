// Types that signatures name, so that an application can name them, too.
import type { ClientOptions, TransferMode } from 'keyturn/client'
import { createDevices } from 'keyturn/client/parts'
import type { DevicesOptions } from 'keyturn/client/parts'
import type { Equal, Expect } from '../expect.ts'

export type Names = [
  Expect<Equal<NonNullable<ClientOptions['mode']>, TransferMode>>,
  Expect<Equal<Parameters<typeof createDevices>[1], DevicesOptions>>,
]
