import { describe, expect, test } from 'vitest'
import { readPem, readPemBlocks, writePem } from '../../../src/pki/pem.js'
import { hostile, thrown } from '../../support/thrown.js'

const der = Uint8Array.from({ length: 100 }, (_, i) => i)
const pem = writePem('csr', der)
const body = pem.split('\n').slice(1, -2).join('\n')
const block = (label: string, text = body): string => `-----BEGIN ${label}-----\n${text}\n-----END ${label}-----\n`

test('PEM is lines of 64 characters between its labels', () => {
  expect(pem.split('\n').map((line) => line.length)).toEqual([35, 64, 64, 8, 33, 0])
  expect(readPem('csr', pem)).toEqual(der)
})

describe('one block reads the same', () => {
  test.each([
    ['without a final newline', pem.trimEnd()],
    ['with Windows line ends', pem.replaceAll('\n', '\r\n')],
    ['with blank lines around', `\n \n${pem}\n\t\n`],
    ['with trailing spaces', pem.replaceAll('\n', ' \n')],
    ['in lines of 76', block('CERTIFICATE REQUEST', Buffer.from(der).toString('base64').replace(/.{76}/g, '$&\n'))],
  ])('%s', (_, text) => {
    expect(readPem('csr', text)).toEqual(der)
  })
})

describe('anything else is refused', () => {
  test.each([
    ['nothing', '', 'no PEM block'],
    ['two blocks', pem + pem, 'more than one'],
    ['another label', block('CERTIFICATE'), 'labelled CERTIFICATE'],
    ['the old label', block('NEW CERTIFICATE REQUEST'), 'labelled NEW'],
    ['a key behind it', pem + block('PRIVATE KEY'), 'labelled PRIVATE KEY'],
    ['text before', `Subject: CN=root\n${pem}`, 'does not begin'],
    ['text behind', `${pem}root\n`, 'text behind'],
    ['a label that ends otherwise', pem.replace('END CERTIFICATE REQUEST', 'END CERTIFICATE'), 'END'],
    ['no end', pem.slice(0, pem.indexOf('-----END')), 'END line'],
    ['no content', block('CERTIFICATE REQUEST', ''), 'not base64'],
    ['headers', block('CERTIFICATE REQUEST', `Comment: x\n\n${body}`), 'not base64'],
    ['a blank line inside', block('CERTIFICATE REQUEST', body.replace('\n', '\n\n')), 'not base64'],
    ['other characters', block('CERTIFICATE REQUEST', body.replace('A', '-')), 'not base64'],
    ['padding inside', block('CERTIFICATE REQUEST', 'AA==\nAAAA'), 'not base64'],
    ['spare bits', block('CERTIFICATE REQUEST', 'AAAB\nAB=='), 'not base64'],
    ['indentation', block('CERTIFICATE REQUEST', ` ${body}`), 'not base64'],
    ['very much', 'A'.repeat(300_000), 'longer than'],
  ])('%s', (_, text, reason) => {
    const { detail, message } = thrown('ERR_PEM_INVALID', () => readPem('csr', text))
    expect(detail).toEqual({ label: 'CERTIFICATE REQUEST', reason: expect.stringContaining(reason) as string })
    expect(message).not.toContain(body.slice(0, 20))
  })

  test.each(hostile)('%s is a TypeError', (_, value) => {
    expect(() => readPem('csr', value as string)).toThrow(TypeError)
  })
})

test('a key encrypted by headers is refused with the command that converts it, and without what it says', () => {
  const old = block('PRIVATE KEY', `Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\n${body}`)
  const { message } = thrown('ERR_PEM_INVALID', () => readPem('private key', old))
  expect(message).toContain('openssl pkcs8 -topk8')
  expect(message).not.toContain('00112233')
})

test.each([
  ['EC PRIVATE KEY', 'openssl pkcs8 -topk8'],
  ['EC PARAMETERS', 'take the block of the parameters out'],
  ['OPENSSH PRIVATE KEY', 'ssh-keygen'],
  ['RSA PRIVATE KEY', 'openssl pkcs8 -topk8'],
  ['ENCRYPTED PRIVATE KEY', 'decrypt'],
])('a key labelled %s is refused with the command that converts it', (label, fix) => {
  expect(thrown('ERR_PEM_INVALID', () => readPem('private key', block(label))).message).toContain(fix)
})

test('several blocks are read where a chain is meant, and none is none', () => {
  const certificate = writePem('certificate', der)
  expect(readPemBlocks('certificate', `${certificate}\n${certificate}`)).toEqual([der, der])
  expect(readPemBlocks('certificate', '')).toEqual([])
})
