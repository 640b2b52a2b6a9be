/**
 * PKCS#12 (RFC 7292), written by pkijs, which is loaded for it: one private key and the chain of its certificate, both encrypted (PBES2 with PBKDF2,
 * HMAC-SHA-256 and AES-256-CBC), the whole under a MAC of HMAC-SHA-256.
 */

/** What goes into the file. */
export interface Pkcs12Parts {
  /** PKCS#8, plain. */
  readonly privateKey: Uint8Array
  /** The leaf first. */
  readonly certificates: readonly Uint8Array[]
  /** What says that the key is that of the leaf. */
  readonly localKeyId: Uint8Array
  /** What the entry is called. */
  readonly alias: string
  readonly passphrase: Uint8Array
  readonly iterations: number
}

const SHROUDED_KEY = '1.2.840.113549.1.12.10.1.2'
const CERTIFICATE = '1.2.840.113549.1.12.10.1.3'
const LOCAL_KEY_ID = '1.2.840.113549.1.9.21'
const FRIENDLY_NAME = '1.2.840.113549.1.9.20'

/** The bytes of the file. `crypto` is a WebCrypto object that was checked. */
export async function writeForeignPkcs12(crypto: object, { privateKey, certificates, localKeyId, alias, passphrase, iterations }: Pkcs12Parts): Promise<Uint8Array> {
  const [pkijs, asn1js] = await Promise.all([import('pkijs'), import('asn1js')])
  const engine = new pkijs.CryptoEngine({ name: 'caller', crypto: crypto as Crypto })
  const password = Uint8Array.from(passphrase).buffer
  const encryption = { password, contentEncryptionAlgorithm: { name: 'AES-CBC', length: 256 } as never, hmacHashAlgorithm: 'SHA-256', iterationCount: iterations }
  const attributes = (): InstanceType<typeof pkijs.Attribute>[] => [
    new pkijs.Attribute({ type: LOCAL_KEY_ID, values: [new asn1js.OctetString({ valueHex: Uint8Array.from(localKeyId).buffer })] }),
    new pkijs.Attribute({ type: FRIENDLY_NAME, values: [new asn1js.BmpString({ value: alias })] }),
  ]

  const key = new pkijs.PKCS8ShroudedKeyBag({ parsedValue: pkijs.PrivateKeyInfo.fromBER(Uint8Array.from(privateKey).buffer) })
  await key.makeInternalValues(encryption, engine)
  const bags = certificates.map((der, index) => {
    const bagValue = new pkijs.CertBag({ parsedValue: pkijs.Certificate.fromBER(Uint8Array.from(der).buffer) })
    return new pkijs.SafeBag({ bagId: CERTIFICATE, bagValue, ...(index === 0 ? { bagAttributes: attributes() } : {}) })
  })
  const safe = new pkijs.AuthenticatedSafe({
    parsedValue: {
      safeContents: [
        // The key is encrypted by itself; the certificates as a whole.
        { privacyMode: 0, value: new pkijs.SafeContents({ safeBags: [new pkijs.SafeBag({ bagId: SHROUDED_KEY, bagValue: key, bagAttributes: attributes() })] }) },
        { privacyMode: 1, value: new pkijs.SafeContents({ safeBags: bags }) },
      ],
    },
  })
  await safe.makeInternalValues({ safeContents: [{}, encryption] }, engine)
  const pfx = new pkijs.PFX({ parsedValue: { integrityMode: 0, authenticatedSafe: safe } })
  await pfx.makeInternalValues({ password, iterations, pbkdf2HashAlgorithm: 'SHA-256', hmacHashAlgorithm: 'SHA-256' }, engine)
  return new Uint8Array(pfx.toSchema().toBER(false))
}
