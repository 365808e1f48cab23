declare module 'gifenc' {
  interface FrameOptions {
    /** Colours as [red, green, blue]. */
    readonly palette: readonly (readonly number[])[]
    /** In milliseconds. */
    readonly delay: number
    /** 0: for ever. */
    readonly repeat: number
    readonly transparent: boolean
    readonly transparentIndex: number
    /** 1: the next frame is put over this one. */
    readonly dispose: number
  }

  interface Encoder {
    writeFrame(indices: Uint8Array, width: number, height: number, options: FrameOptions): void
    finish(): void
    bytes(): Uint8Array
  }

  const gifenc: { GIFEncoder(): Encoder }
  export default gifenc
}
