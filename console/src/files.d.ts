declare module '*.css'

declare module '*?url' {
  /** The address of a file of the build. */
  const address: string
  export default address
}
