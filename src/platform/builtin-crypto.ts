type NodeCrypto = typeof import('node:crypto')

let loaded: NodeCrypto | undefined

/**
 * `node:crypto`, loaded by its first use: that takes 4 ms, which an application need not wait for as it starts.
 * Not an import: that would also load WebCrypto and all else that the module holds back until it is asked for.
 */
export function builtinCrypto(): NodeCrypto {
  return loaded ??= process.getBuiltinModule('node:crypto')
}
