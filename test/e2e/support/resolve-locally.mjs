// Preloaded by the application under test: the names of the tests lead to this machine, as they do in the browser.
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'

const lookup = dns.lookup
dns.lookup = (host, ...rest) => lookup(/\.(?:example|example\.\w+)$/.test(host) ? '127.0.0.1' : host, ...rest)
syncBuiltinESMExports()
