import { isStoreKind, openStore } from '../open-store.ts'
import { startProbe } from '../probe.ts'

// A client of a store in a process of its own. Each message asks for the times since the last one.

const [kind = '', place = '', data = ''] = process.argv.slice(2)
if (!isStoreKind(kind)) throw new Error(`there is no store ${kind}`)
const store = openStore(kind, place, data)
await store.listKeys()
const probe = startProbe(store)
process.on('message', () => process.send?.(probe.take()))
process.on('disconnect', () => process.exit())
process.send?.('ready')
