/** Who asks: what etcd learns of a client from its connection and its metadata. */

/** A client of the store. `{}` is one without certificate and without token. */
export interface Caller {
  /**
   * The Common Name of the client certificate, `''` for a certificate without one; `undefined` for a connection without a certificate. With
   * several in one subject, it is the last (`facts`: Go keeps the last).
   */
  readonly commonName?: string | undefined
  /** The Common Names of the authorities above it, from the issuer to the root, `''` where one has none. Read by v2 only. */
  readonly chain?: readonly string[]
  /** The token of an earlier `authenticate`; it beats the certificate. Read by v3 only: v2 has the header `Authorization`. */
  readonly token?: string | undefined
}
