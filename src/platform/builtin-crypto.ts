type NodeCrypto = typeof import('node:crypto')

let loaded: NodeCrypto | undefined

/**
 * `node:crypto`, loaded at its first use: loading takes 4 ms, which would delay the start of an application. It is not
 * loaded with `import`, because that would also load WebCrypto and other lazy parts of the module.
 */
export function builtinCrypto(): NodeCrypto {
  return loaded ??= process.getBuiltinModule('node:crypto')
}
